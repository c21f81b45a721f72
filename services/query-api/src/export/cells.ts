/** A row of a table: texts, or null for an empty cell. */
export type Cells = readonly (string | null)[];
