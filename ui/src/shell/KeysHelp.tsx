/** Every key there is. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { systemInfo } from '@/api/queries/system';
import { Dialog } from '@/components/Dialog';
import { Kbd } from '@/components/Kbd';
import { GROUPS, isShown } from './navigation';

export function KeysHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const general: [string[], string][] = [
    [['⌘/Ctrl', 'K'], t('keys.palette')],
    [['/'], t('keys.search')],
    [['n'], t('keys.newTask')],
    [['\\'], t('keys.theme')],
    [['?'], t('keys.help')],
    [['Esc'], t('keys.close')],
  ];
  const isAdmin = useMay('admin');
  const { data: info } = useQuery(systemInfo);
  const seen = { isAdmin, hasCluster: info?.kubernetes ?? false };
  const go: [string[], string][] = GROUPS.flatMap(({ destinations }) =>
    destinations
      .filter((one) => isShown(one, seen))
      .flatMap(({ key, shortcut }) =>
        shortcut ? [[['g', shortcut], t(`nav.${key}`)] as [string[], string]] : [],
      ),
  );
  const rows: [string[], string][] = [
    [['j', 'k'], t('tasks.keys.move')],
    [['Enter'], t('tasks.keys.open')],
    [['x'], t('tasks.keys.select')],
  ];
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t('keys.title')}>
      <div className="grid gap-6 sm:grid-cols-2">
        {[
          { title: t('keys.general'), rows: general },
          { title: t('keys.go'), rows: go },
          { title: t('tasks.keys.title'), rows },
        ].map(({ title, rows }) => (
          <section key={title}>
            <h3 className="mb-2 font-medium text-muted text-xs">{title}</h3>
            <dl className="space-y-2">
              {rows.map(([keys, text]) => (
                <div key={text} className="flex items-center justify-between gap-3">
                  <dt>{text}</dt>
                  <dd className="flex gap-1">
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
