/** The names of the five topics of an installation, by prefix (`gongji`). */
export const topicsOf = (prefix: string) => ({
  claims: `${prefix}.claims.v1`,
  members: `${prefix}.members.v1`,
  settlements: `${prefix}.settlements.v1`,
  sharing: `${prefix}.sharing.v1`,
  deadLetters: `${prefix}.dead-letters.v1`,
});
export type Topics = ReturnType<typeof topicsOf>;
