/** A part of the form with its name, what it is about, and its problems counted. */
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import { isWithin } from './paths';
import { useAllTold } from './problems';

/** The sections of the form, and which parts of the document each shows. */
export const SECTIONS = {
  basic: ['task_name', 'description'],
  engine: ['base_runtime', 'deployment_mode', 'runtime_image_tag', 'runtime_image'],
  model: ['model'],
  parameters: ['parameters', 'constraints'],
  quant_config: ['quant_config'],
  parallel_config: ['parallel_config'],
  optimization: ['optimization'],
  benchmark: ['benchmark'],
  slo: ['slo'],
  advanced: ['engine', 'resources', 'storage', 'clusterbasemodel_config', 'clusterservingruntime_config'],
} as const;
export type SectionName = keyof typeof SECTIONS;
export const SECTION_NAMES = Object.keys(SECTIONS) as SectionName[];

/** How many problems and warnings lie in a section. */
export function useSectionCounts(name: SectionName): { problems: number; warnings: number } {
  const told = useAllTold().filter(({ path }) => SECTIONS[name].some((parent) => isWithin(path, parent)));
  const problems = told.filter(({ severity }) => severity === 'problem').length;
  return { problems, warnings: told.length - problems };
}

export function Section({
  name,
  icon: Icon,
  actions,
  children,
  className,
}: {
  name: SectionName;
  icon: LucideIcon;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  const { t } = useTranslation();
  return (
    <section
      id={`section-${name}`}
      aria-labelledby={`section-${name}-title`}
      className="card min-w-0 scroll-mt-24 lg:scroll-mt-4"
    >
      <header className="flex flex-wrap items-center justify-between gap-2 border-line border-b px-4 py-2.5">
        <div className="min-w-0">
          <h2
            id={`section-${name}-title`}
            tabIndex={-1}
            className="flex items-center gap-2 font-semibold text-sm outline-none"
          >
            <Icon aria-hidden className="size-4 text-muted" />
            {t(`form.section.${name}`)}
          </h2>
        </div>
        {actions && <div className="flex flex-wrap items-center gap-1.5">{actions}</div>}
      </header>
      <div className={cx('p-4', className)}>
        <p className="mb-3 text-muted text-xs">{t(`form.about.${name}`)}</p>
        {children}
      </div>
    </section>
  );
}
