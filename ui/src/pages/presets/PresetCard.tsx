/** One preset: what it is for, what it tries, and what can be done with it. */
import { CopyPlus, Download, Ellipsis, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Preset, presetUrl } from '@/api/queries/presets';
import { Badge } from '@/components/Badge';
import { buttonClass, IconButton } from '@/components/Button';
import type { Json } from '@/components/form/json';
import { writeValue } from '@/components/form/values';
import { Menu } from '@/components/Menu';
import { Checkbox } from '@/components/Toggle';
import { cx } from '@/lib/cx';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';

/** More parameters than these are shown when they are asked for. */
const MOST = 8;

export interface PresetCardProps {
  preset: Preset;
  mayOperate: boolean;
  isSelected: boolean;
  onSelect: (isSelected: boolean) => void;
  onEdit: () => void;
  onDuplicate: () => void;
  onDelete: () => void;
}

export function PresetCard(props: PresetCardProps) {
  const { preset, mayOperate, isSelected, onSelect, onEdit, onDuplicate, onDelete } = props;
  const { t } = useTranslation();
  const { id, name, description, category, runtime, is_system: isSystem, combinations } = preset;
  return (
    <article
      aria-label={name}
      className={cx('card flex min-w-0 flex-col p-4', isSelected && 'outline-2 outline-accent')}
    >
      <header className="flex items-start gap-2.5">
        <div className="pt-0.5">
          <Checkbox isOn={isSelected} onChange={onSelect} label={t('list.select', { name })} hideLabel />
        </div>
        <div className="min-w-0 flex-1">
          <h2 className="flex flex-wrap items-center gap-x-2 gap-y-1 font-semibold">
            <span className="min-w-0 break-words">{name}</span>
            {isSystem && <Badge tone="accent">{t('presetsPage.system')}</Badge>}
          </h2>
          {description && <p className="mt-0.5 line-clamp-2 text-muted text-xs">{description}</p>}
        </div>
        <Menu
          trigger={
            <IconButton
              icon={Ellipsis}
              label={t('presetsPage.actionsOf', { name })}
              className="-mt-1 -mr-1.5"
            />
          }
          entries={[
            ...(mayOperate && !isSystem
              ? [{ label: t('presetsPage.edit'), icon: Pencil, onSelect: onEdit }]
              : []),
            ...(mayOperate
              ? [{ label: t('presetsPage.duplicate'), icon: CopyPlus, onSelect: onDuplicate }]
              : []),
            { label: t('presetsPage.export'), icon: Download, href: presetUrl(id) },
            ...(mayOperate && !isSystem
              ? [
                  {
                    label: t('action.delete'),
                    icon: Trash2,
                    onSelect: onDelete,
                    isDangerous: true,
                    startsGroup: true,
                  },
                ]
              : []),
          ]}
        />
      </header>
      <Parameters parameters={preset.parameters as Record<string, Json[]>} />
      <footer className="mt-auto flex flex-wrap items-center gap-x-2 gap-y-2 pt-3">
        <Badge>{runtime ?? t('presetsPage.anyRuntime')}</Badge>
        {category && <Badge>{category}</Badge>}
        <span className="num text-muted text-xs">
          {combinations === null || combinations === undefined
            ? t('presetsPage.countless')
            : t('presetsPage.combinations', { count: combinations, text: number(combinations, 9) })}
        </span>
        {mayOperate && (
          <a href={href.newTask({ presets: id })} className={cx(buttonClass('secondary', 'sm'), 'ml-auto')}>
            <Plus aria-hidden className="size-3.5" />
            {t('presetsPage.use')}
          </a>
        )}
      </footer>
    </article>
  );
}

function Parameters({ parameters }: { parameters: Record<string, Json[]> }) {
  const { t } = useTranslation();
  const [isWhole, setWhole] = useState(false);
  // What is varied says more than what is only set.
  const rows = Object.entries(parameters).sort(
    ([, one], [, other]) => Number(other.length > 1) - Number(one.length > 1),
  );
  const shown = isWhole ? rows : rows.slice(0, MOST);
  return (
    <div className="mt-3">
      <ul className="flex flex-wrap gap-1">
        {shown.map(([name, values]) => {
          const text = values.map((value) => writeValue(value)).join(', ');
          return (
            <li
              key={name}
              title={`${name}: ${text}`}
              className="max-w-full truncate rounded-md bg-sunken px-1.5 py-0.5 font-mono text-2xs ring-1 ring-line ring-inset"
            >
              <span className="text-muted">{name}</span>{' '}
              <span className={values.length > 1 ? 'text-accent' : ''}>{text}</span>
            </li>
          );
        })}
      </ul>
      {rows.length > MOST && (
        <button
          type="button"
          aria-expanded={isWhole}
          onClick={() => setWhole(!isWhole)}
          className="mt-1.5 text-accent text-xs hover:underline"
        >
          {isWhole ? t('presetsPage.fewer') : t('presetsPage.more', { count: rows.length - MOST })}
        </button>
      )}
    </div>
  );
}
