/** The texts of a field, by its name in the locales. */
import { useTranslation } from 'react-i18next';

/** `form.field.<name>`, and `form.help.<name>` where there is one. */
export function useFieldTexts(name: string): { label: string; help: string | undefined } {
  const { t, i18n } = useTranslation();
  return {
    label: t(`form.field.${name}`),
    help: i18n.exists(`form.help.${name}`) ? t(`form.help.${name}`) : undefined,
  };
}
