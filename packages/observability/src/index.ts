export { type AdminServer, type Check, type Checks, startAdminServer } from './admin-server.ts';
export { ALERT_LIMITS, type AlertName, CONFLICT_CODES } from './alert-limits.ts';
export { ConfigurationError, readEnv, setting } from './env.ts';
export { describeError, type ErrorDescription } from './errors.ts';
export { type Failpoint, failpointFrom } from './failpoint.ts';
export { runService, type ServiceContext } from './lifecycle.ts';
export { createLogger, LOG_FIELDS, type LogFields, type Logger, type LogLevel, PERSONAL_FIELDS } from './logger.ts';
export { createMetrics, METRICS, type Metrics } from './metrics.ts';
export { startTracing, type TracedBatch, type Tracing } from './tracing.ts';
