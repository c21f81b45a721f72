import { expect, test } from 'vitest';
import { dayOf, timeOf } from '../src/parts/figure.tsx';

test.each(['10T23:30Z', '11T07:30:00+08', '11T07:30+0800', '11T07:30:00+08:00', '10T13:30:00.123456789-10'])(
  'a moment is shown in Shanghai however it was written: 2026-03-%s',
  (written) => {
    expect(timeOf(`2026-03-${written}`)).toBe('2026-03-11 07:30');
    expect(dayOf(`2026-03-${written}`)).toBe('2026-03-11');
  },
);
