import type { ServiceClass } from './policy.ts';

/** Visit types (医疗类别) by class. The longest code listed here that a visit type begins with gives its class. */
const CLASS_BY_VISIT_TYPE: Readonly<Record<string, ServiceClass>> = {
  11: 'OUTPATIENT',
  12: 'OUTPATIENT',
  13: 'OUTPATIENT',
  16: 'OUTPATIENT',
  81: 'OUTPATIENT',
  3102: 'OUTPATIENT',
  14: 'OUTPATIENT_SPECIAL',
  15: 'OUTPATIENT_SPECIAL',
  21: 'INPATIENT',
  22: 'INPATIENT',
  23: 'INPATIENT',
  24: 'INPATIENT',
  25: 'INPATIENT',
  26: 'INPATIENT',
  28: 'INPATIENT',
  3101: 'INPATIENT',
  41: 'PHARMACY',
  51: 'MATERNITY',
  52: 'MATERNITY',
  9107: 'PHYSICAL_EXAM',
};

/** The class of service of a visit type; `OTHER` where none is listed (domain rules, section 2). */
export function serviceClassOf(visitType: string): ServiceClass {
  for (let length = visitType.length; length > 0; length--) {
    const found = CLASS_BY_VISIT_TYPE[visitType.slice(0, length)];
    if (found !== undefined) return found;
  }
  return 'OTHER';
}

/** The clearing class (清算类别) a settlement is totalled under: 11 outpatient, 21 inpatient, 41 pharmacy, 99 other. */
export function clearingClassOf(visitType: string): '11' | '21' | '41' | '99' {
  switch (serviceClassOf(visitType)) {
    case 'PHARMACY':
      return '41';
    case 'INPATIENT':
      return '21';
    case 'OUTPATIENT':
    case 'OUTPATIENT_SPECIAL':
      return '11';
    case 'MATERNITY':
      return visitType.startsWith('52') ? '21' : '11';
    default:
      return '99';
  }
}
