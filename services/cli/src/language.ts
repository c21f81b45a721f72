import { parseArgs } from 'node:util';
import { NotUnderstood } from './arguments.ts';

export type Language = 'en' | 'zh';

/** The language of `--lang`, else of the locale. Undefined where `--lang` names another one. */
export function languageOf(
  lang: string | undefined,
  { LC_ALL, LC_MESSAGES, LANG }: Readonly<Record<string, string | undefined>>,
): Language | undefined {
  if (lang !== undefined) return lang === 'zh' || lang === 'en' ? lang : undefined;
  // The first of these that is set and not empty decides.
  return (LC_ALL || LC_MESSAGES || LANG || '').startsWith('zh') ? 'zh' : 'en';
}

export const LANGUAGES = '--lang is zh or en';

/** The language in which a command's help is requested; null where it is not requested. Throws `NotUnderstood`. */
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
