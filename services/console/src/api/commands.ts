import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useRef } from 'react';
import { useTelling } from '../parts/problem.tsx';
import { useWords } from '../shell/preferences.tsx';
import { command } from './client.ts';
import { description } from './queries.ts';

/** Whether the API offers a request: an older one, or one that is only read, does not. Undefined until that is known. */
export function useOffered(method: 'get' | 'post' | 'patch', path: string): boolean | undefined {
  const { data } = useQuery(description());
  return data && data.paths[path]?.[method] !== undefined;
}

export interface Order {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly body: object;
}

/**
 * Sends commands one after the other and reads everything anew. A repetition of the same order after a failure carries the same key, so
 * that what had arrived after all is not done twice.
 */
export function useCommand() {
  const w = useWords();
  const { message } = App.useApp();
  const client = useQueryClient();
  const tell = useTelling();
  const keys = useRef(new Map<string, string>());
  return useMutation({
    mutationFn: async (orders: readonly Order[]) => {
      let done = true;
      for (const order of orders) {
        const name = JSON.stringify(order);
        const key = keys.current.get(name) ?? crypto.randomUUID();
        keys.current.set(name, key);
        done = (await command(order.method, order.path, order.body, key)).done && done;
        keys.current.delete(name);
      }
      return done;
    },
    onSuccess: (done) => void (done ? message.success(w.commands.done) : message.info(w.commands.sent, 6)),
    onError: async (error) => void message.error(await tell(error), 8),
    onSettled: () => client.invalidateQueries(),
  });
}
