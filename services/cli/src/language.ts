import { parseArgs } from 'node:util';
import { NotUnderstood } from './arguments.ts';

export type Language = 'en' | 'zh';

/** What `--lang` says, or else the locale: Chinese where its language is. Undefined where `--lang` says something else. */
export function languageOf(
  lang: string | undefined,
  { LC_ALL, LC_MESSAGES, LANG }: Readonly<Record<string, string | undefined>>,
): Language | undefined {
  if (lang !== undefined) return lang === 'zh' || lang === 'en' ? lang : undefined;
  // The first that is set holds; an empty one is as good as none.
  return (LC_ALL || LC_MESSAGES || LANG || '').startsWith('zh') ? 'zh' : 'en';
}

export const LANGUAGES = '--lang is zh or en';

/** In which language a command's help is asked for; null where it is not asked for. Throws `NotUnderstood`. */
export function helpLanguage(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Language | null {
  const options = { help: { type: 'boolean', short: 'h' }, lang: { type: 'string' } } as const;
  const { help, lang } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true }).values;
  if (help !== true) return null;
  const language = lang === undefined || typeof lang === 'string' ? languageOf(lang, environment) : undefined;
  if (language === undefined) throw new NotUnderstood(LANGUAGES);
  return language;
}
