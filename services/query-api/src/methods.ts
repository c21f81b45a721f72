import type { FastifyInstance } from 'fastify';

/** Says which methods a path takes; none where it is no route's. Must be called before any route is added. */
export function methodsOf(app: FastifyInstance): (path: string) => readonly string[] {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const { pattern, methods } = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    routes.set(url, { pattern, methods });
    for (const each of [method].flat()) methods.add(each);
  });
  return (path) => {
    const fitting = [...routes.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(fitting.flatMap(({ methods }) => [...methods]))].sort();
  };
}

/** A route's path, `/v1/accounts/:psn_no` or `/console/*`, as a pattern. */
function patternOf(url: string): RegExp {
  const literal = url.replaceAll('.', '\\.');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll(/:\w+/g, '[^/]+')}$`);
}
