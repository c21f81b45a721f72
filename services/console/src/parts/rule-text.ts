import type { ParameterValue } from '../api/types.ts';
import type { Words } from '../words/zh.ts';

/** The value of a parameter, as a person would write it. */
export function ruleText(value: ParameterValue, w: Words): string {
  if (value === null) return w.none;
  if (typeof value === 'boolean') return value ? w.policies.yes : w.policies.no;
  if (typeof value !== 'object') return wordOf(String(value), w);
  if (Array.isArray(value)) return value.map((each) => wordOf(each, w)).join(', ') || w.none;
  return (
    Object.entries(value)
      .map(([year, tiers]) => `${year}: ${tiers.join(', ')}`)
      .join('; ') || w.none
  );
}

const wordOf = (name: string, w: Words): string =>
  (w.relations as Readonly<Record<string, string>>)[name] ?? w.classes[name] ?? w.policies.values[name] ?? name;
