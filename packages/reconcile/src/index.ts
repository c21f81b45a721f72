export { type Comparison, compare, type Difference, type Said } from './compare.ts';
export { compareTotals, type TotalComparison, type TotalDifference } from './compare-totals.ts';
export {
  DETAIL_COLUMNS,
  type OtherDetails,
  type OtherSide,
  readOtherSide,
  toLines,
  UnusableFile,
} from './files.ts';
export { booksOfDays, compareTotalsWith, compareWith, type DayOfBooks } from './reconcile.ts';
export { isInstitution, type Period, type SettledRow, settledRows } from './settled.ts';
export { countKinds, DIFFERENCE_KINDS, type DifferenceKind } from './sides.ts';
export { TOTAL_COLUMNS, type Total, Totals, totalsOf } from './totals.ts';
