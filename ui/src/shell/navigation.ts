/** What the sidebar and the command palette lead to. */
import {
  Box,
  Boxes,
  FlaskConical,
  Images,
  KeyRound,
  LayoutDashboard,
  ListTodo,
  type LucideIcon,
  ScrollText,
  Settings2,
  SlidersHorizontal,
} from 'lucide-react';
import type { Role } from '@/api/queries/access';
import { href } from '@/lib/navigate';

export interface Destination {
  /** Its text is `nav.<key>`. */
  key: string;
  icon: LucideIcon;
  href: string;
  /** Paths at which it is the current one. */
  paths: readonly string[];
  /** Pressed after `g`. */
  shortcut?: string;
  /** Who may see it, where not everybody may. */
  role?: Role;
  /** It is shown only where a Kubernetes cluster is configured. */
  needsCluster?: boolean;
}

export interface Group {
  key: string;
  destinations: readonly Destination[];
}

export const GROUPS: readonly Group[] = [
  {
    key: 'overview',
    destinations: [
      {
        key: 'dashboard',
        icon: LayoutDashboard,
        href: href.dashboard(),
        paths: ['/dashboard'],
        shortcut: 'd',
      },
    ],
  },
  {
    key: 'autotuning',
    destinations: [
      { key: 'tasks', icon: ListTodo, href: href.tasks(), paths: ['/tasks', '/new-task'], shortcut: 't' },
      {
        key: 'experiments',
        icon: FlaskConical,
        href: href.experiments(),
        paths: ['/experiments', '/compare'],
        shortcut: 'e',
      },
      { key: 'presets', icon: SlidersHorizontal, href: href.presets(), paths: ['/presets'], shortcut: 'p' },
    ],
  },
  {
    key: 'infrastructure',
    destinations: [
      { key: 'containers', icon: Box, href: href.containers(), paths: ['/containers'], shortcut: 'c' },
      {
        key: 'pods',
        icon: Boxes,
        href: href.pods(),
        paths: ['/pods'],
        shortcut: 'k',
        needsCluster: true,
      },
      { key: 'images', icon: Images, href: href.images(), paths: ['/images'], shortcut: 'i' },
    ],
  },
  {
    key: 'settings',
    destinations: [
      {
        key: 'tokens',
        icon: KeyRound,
        href: href.settings('tokens'),
        paths: ['/settings/tokens'],
        role: 'admin',
      },
      {
        key: 'audit',
        icon: ScrollText,
        href: href.settings('audit'),
        paths: ['/settings/audit'],
        role: 'admin',
      },
      {
        key: 'defaults',
        icon: Settings2,
        href: href.settings('defaults'),
        paths: ['/settings/defaults'],
        role: 'admin',
      },
    ],
  },
];

/** Whether somebody may see it, and there is something to see. */
export function isShown(
  { role, needsCluster }: Destination,
  { isAdmin, hasCluster }: { isAdmin: boolean; hasCluster: boolean },
): boolean {
  return (role !== 'admin' || isAdmin) && (!needsCluster || hasCluster);
}

/** Whether an address is below one of these. */
export function isCurrent(destination: Destination, pathname: string): boolean {
  return destination.paths.some((path) => pathname === path || pathname.startsWith(`${path}/`));
}
