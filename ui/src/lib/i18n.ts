/** The languages of the page. English is always here; others are fetched when they are chosen. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import en from '@/locales/en';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = 'language';

function wanted(): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(KEY);
  } catch {
    // A page without storage follows the browser.
  }
  const words = [stored, ...navigator.languages].filter((word): word is string => word !== null);
  for (const word of words) {
    const language = LANGUAGES.find((language) => word.toLowerCase().startsWith(language));
    if (language) return language;
  }
  return 'en';
}

/** Shows the page in this language, now and the next time. */
export async function setLanguage(language: Language): Promise<void> {
  if (language === 'zh' && !i18next.hasResourceBundle('zh', 'translation')) {
    i18next.addResourceBundle('zh', 'translation', (await import('@/locales/zh')).default);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** Called once, before the first text is shown. */
export async function startTranslations(language: Language = wanted()): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  if (language !== 'en') await setLanguage(language);
}
