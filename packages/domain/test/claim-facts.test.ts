import { describe, expect, test } from 'vitest';
import {
  brokenIdentity,
  clearingClassOf,
  compareOrder,
  isSameProvince,
  isWithin,
  money,
  serviceClassOf,
} from '../src/index.ts';
import { binding, claim } from './builders.ts';

describe('service and clearing class of a visit type', () => {
  test.each([
    ['11', 'OUTPATIENT', '11'],
    ['12', 'OUTPATIENT', '11'],
    ['13', 'OUTPATIENT', '11'],
    ['16', 'OUTPATIENT', '11'],
    ['81', 'OUTPATIENT', '11'],
    ['3102', 'OUTPATIENT', '11'],
    ['14', 'OUTPATIENT_SPECIAL', '11'],
    ['140104', 'OUTPATIENT_SPECIAL', '11'],
    ['15', 'OUTPATIENT_SPECIAL', '11'],
    ['21', 'INPATIENT', '21'],
    ['2101', 'INPATIENT', '21'],
    ['25', 'INPATIENT', '21'],
    ['28', 'INPATIENT', '21'],
    ['3101', 'INPATIENT', '21'],
    ['41', 'PHARMACY', '41'],
    ['51', 'MATERNITY', '11'],
    ['5101', 'MATERNITY', '11'],
    ['52', 'MATERNITY', '21'],
    ['5212', 'MATERNITY', '21'],
    ['9107', 'PHYSICAL_EXAM', '99'],
    ['91', 'OTHER', '99'],
    ['31', 'OTHER', '99'],
    ['27', 'OTHER', '99'],
    ['1', 'OTHER', '99'],
  ])('%s is %s, cleared under %s', (visitType, serviceClass, clearing) => {
    expect([serviceClassOf(visitType), clearingClassOf(visitType)]).toEqual([serviceClass, clearing]);
  });
});

describe('identities of a claim', () => {
  const priced = {
    totalFee: money('4.52'),
    fundPaid: money('1.00'),
    hospitalBorne: money('0.02'),
    personalShare: money('3.50'),
  };
  const scope = {
    fullyOwnPaid: money('0.00'),
    overLimit: money('0.00'),
    preSelfPaid: money('0.23'),
    inScope: money('4.29'),
  };
  test('hold (I1, I3)', () => expect(brokenIdentity(claim({ ...priced, scope }))).toBeNull());
  test('total is fund, hospital and personal share (I1)', () => {
    expect(brokenIdentity(claim({ ...priced, totalFee: money('4.53') }))).toBe('I1');
  });
  test('I1 is told of before I3 (I1, I3)', () => {
    expect(brokenIdentity(claim({ ...priced, totalFee: money('4.53'), scope }))).toBe('I1');
    expect(brokenIdentity(claim({ ...priced, scope: { ...scope, inScope: money('4.30') } }))).toBe('I3');
  });
  test('the four scope amounts are checked only when all are given (I3)', () => {
    expect(brokenIdentity(claim({ ...priced, scope: { ...scope, inScope: null } }))).toBeNull();
  });
});

describe('areas', () => {
  const city = { poolAreaDigits: 4 } as const;
  const municipality = { poolAreaDigits: 2 } as const;
  test.each([
    ['SAME_POOLING_AREA', '330106', '330108', city, true],
    ['SAME_POOLING_AREA', '330106', '330206', city, false],
    ['SAME_POOLING_AREA', '310115', '310118', municipality, true],
    ['SAME_PROVINCE', '330106', '330206', city, true],
    ['SAME_PROVINCE', '330106', '440106', city, false],
    ['NATIONWIDE', '330106', '440106', city, true],
  ] as const)('%s from %s to %s', (scope, home, area, policy, within) =>
    expect(isWithin(scope, home, area, policy)).toBe(within),
  );
  test('provinces', () =>
    expect([isSameProvince('330106', '330206'), isSameProvince('330106', '440106')]).toEqual([true, false]));
});

describe('order of relatives', () => {
  const sorted = (...ids: string[]) =>
    ids
      .map((bindingId) => binding({ bindingId }))
      .sort(compareOrder)
      .map((one) => one.bindingId);
  test('ids go by code point: a character outside the basic plane comes after every one inside it', () => {
    expect(sorted('😀', '\uffee', 'b', 'B', 'ab', 'a')).toEqual(['B', 'a', 'ab', 'b', '\uffee', '😀']);
    expect(sorted('a😀', 'a\ue000', 'a')).toEqual(['a', 'a\ue000', 'a😀']);
  });
  test('a priority, also a negative one, comes before none', () => {
    const ranked = [null, 3, -1, null].map((priority, i) => binding({ bindingId: `B${i}`, priority }));
    expect(ranked.sort(compareOrder).map((one) => one.bindingId)).toEqual(['B2', 'B1', 'B0', 'B3']);
  });
});
