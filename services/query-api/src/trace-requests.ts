import type { Tracing } from '@repo/observability';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Traces every request as a span named by its route; not by its path, which may say whose data is asked for. */
export function traceRequests(app: FastifyInstance, tracing: Tracing): void {
  const ends = new WeakMap<FastifyRequest, ReturnType<Tracing['request']>>();
  app.addHook('onRequest', async (request) => {
    const { method, headers, routeOptions } = request;
    const route = routeOptions.url ?? 'unknown';
    const { traceparent } = headers;
    const attributes = { 'http.request.method': method, 'http.route': route };
    ends.set(request, tracing.request(`${method} ${route}`, [traceparent].flat()[0], attributes));
  });
  app.addHook('onResponse', async (request, { statusCode }) => {
    ends.get(request)?.({ 'http.response.status_code': statusCode }, statusCode >= 500);
  });
}
