export {
  type Comparison,
  compare,
  DIFFERENCE_KINDS,
  type Difference,
  type DifferenceKind,
  type Said,
} from './compare.ts';
export { DETAIL_COLUMNS, type OtherSide, readOtherSide, toLines, UnusableFile } from './files.ts';
export { booksOfDays, compareWith, countKinds, type DayOfBooks } from './reconcile.ts';
export { isInstitution, type Period, type SettledRow, settledRows } from './settled.ts';
export { TOTAL_COLUMNS, type Total, Totals } from './totals.ts';
