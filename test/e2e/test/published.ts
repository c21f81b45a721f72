import type { ExpectedOutput, PublishedRecord } from '../src/index.ts';

/** What a faultless system would publish for these outcomes: the values with what only it can know filled in. */
export function publish(outputs: readonly ExpectedOutput[]): PublishedRecord[] {
  const sequences = new Map<string, number>();
  return outputs.map((output, index) => {
    const { topic, key } = output;
    const sequence = String((sequences.get(topic) ?? 0) + 1);
    sequences.set(topic, Number(sequence));
    const at = { topic, key, partition: 0 } as const;
    if (output.topic === 'dead-letters') {
      return { ...at, headers: { 'gongji-code': output.code, 'gongji-sequence': sequence }, value: output.value };
    }
    const extra = output.unknowable.includes('setl_id') ? { setl_id: `S${index}` } : {};
    const headers = { ce_type: output.type, ce_id: `id ${index}`, ce_sequence: sequence };
    return { ...at, headers, value: JSON.stringify({ ...extra, ...output.value }) };
  });
}
