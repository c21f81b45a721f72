import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';
import { en } from '../words/en.ts';
import { type Words, zh } from '../words/zh.ts';

export type Language = 'zh' | 'en';
export type Appearance = 'light' | 'dark';

interface Preferences {
  readonly lang: Language;
  readonly appearance: Appearance;
  readonly w: Words;
  setLang(lang: Language): void;
  setAppearance(appearance: Appearance): void;
}

const Context = createContext<Preferences | null>(null);
const WORDS: Record<Language, Words> = { zh, en };

/** What was chosen last on this computer; null where nothing was, or where the browser keeps nothing. */
function readChoice<T extends string>(name: string, choices: readonly T[]): T | null {
  try {
    const kept = localStorage.getItem(`gongji.${name}`);
    return choices.find((choice) => choice === kept) ?? null;
  } catch {
    return null;
  }
}

function keepChoice(name: string, value: string): void {
  try {
    localStorage.setItem(`gongji.${name}`, value);
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
}

const systemAppearance = (): Appearance => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

/** Language (Chinese unless English was chosen) and appearance (the computer's unless another was chosen), both remembered. */
export function PreferencesProvider({ children }: { readonly children: ReactNode }) {
  const [lang, setLang] = useState<Language>(() => readChoice('lang', ['zh', 'en']) ?? 'zh');
  const [appearance, setAppearance] = useState<Appearance>(
    () => readChoice('appearance', ['light', 'dark']) ?? systemAppearance(),
  );
  useEffect(() => {
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  }, [lang]);
  useEffect(() => {
    // Scroll bars and what lies beneath the page go with it.
    document.documentElement.style.colorScheme = appearance;
  }, [appearance]);
  const value = useMemo(
    (): Preferences => ({
      lang,
      appearance,
      w: WORDS[lang],
      setLang: (chosen) => {
        keepChoice('lang', chosen);
        setLang(chosen);
      },
      setAppearance: (chosen) => {
        keepChoice('appearance', chosen);
        setAppearance(chosen);
      },
    }),
    [lang, appearance],
  );
  return <Context value={value}>{children}</Context>;
}

export function usePreferences(): Preferences {
  const preferences = use(Context);
  if (preferences === null) throw new Error('there are no preferences outside their provider');
  return preferences;
}

export const useWords = (): Words => usePreferences().w;
