/** A row of a table: texts, and null for nothing. */
export type Cells = readonly (string | null)[];
