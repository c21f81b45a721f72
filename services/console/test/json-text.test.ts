import fc from 'fast-check';
import { expect, test } from 'vitest';
import { laidOutJson } from '../src/parts/json-text.ts';

const HIDE = new Set(['certno', 'psn_name']);

test('JSON is laid out as it was written: numbers keep their digits, and a name that stands twice is shown twice', () => {
  expect(laidOutJson('{"a":1.50,"a":99999999999999.99,"b":[ ],"c":{},"d":["x, {y}: \\"z\\"",null]}')).toBe(
    [
      '{',
      '  "a": 1.50,',
      '  "a": 99999999999999.99,',
      '  "b": [],',
      '  "c": {},',
      '  "d": [',
      '    "x, {y}: \\"z\\"",',
      '    null',
      '  ]',
      '}',
    ].join('\n'),
  );
  expect(laidOutJson('"alone"')).toBe('"alone"');
  expect(laidOutJson('{"a":')).toBeNull();
  expect(laidOutJson('')).toBeNull();
});

test('of a field that is not to be shown there is the name alone, however deep it stands and whatever it holds', () => {
  const shown = laidOutJson(
    '{"psn_no":"P1","\\u0063ertno":"330106199001011234","in":[{"psn_name":"王小明","x":1}],"certno":{"a":"330106","b":[1,2]},"y":"psn_name"}',
    HIDE,
  );
  expect(shown).not.toMatch(/330106|王小明/);
  expect(JSON.parse(shown ?? '')).toEqual({
    ...{ psn_no: 'P1', certno: { a: '***', b: ['***', '***'] }, y: 'psn_name' },
    in: [{ psn_name: '***', x: 1 }],
  });
});

test('any JSON is laid out as the same JSON', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(laidOutJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
    }),
  );
});
