import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { InferenceStatus } from '../shared/link.ts';
import type { WorkerPool } from './pool/pool.ts';

/** The library samples the event loop by a timer, by default a hundred times a second: most of what an idle service would do. */
const LAG_SAMPLE_MS = 60_000;

/** From a crop on a quiet core to a request's whole budget. */
const BUCKETS_S = [0.002, 0.003, 0.004, 0.006, 0.01, 0.02, 0.05, 0.1, 0.25, 1];

/** The inference service's metrics, each with the prefix `gaze_inference_`. */
export class InferenceMetrics {
  readonly registry = new Registry();
  readonly #answers = new Counter({
    name: 'gaze_inference_answers_total',
    help: 'Requests answered, by status',
    labelNames: ['status'],
    registers: [this.registry],
  });
  readonly #seconds = new Histogram({
    name: 'gaze_inference_seconds',
    help: 'From the receipt of a request to its answer, waiting included, for pictures that were inferred',
    buckets: BUCKETS_S,
    registers: [this.registry],
  });

  constructor(pool: Pick<WorkerPool, 'state'>, links: () => number) {
    const { registry } = this;
    collectDefaultMetrics({
      register: registry,
      prefix: 'gaze_inference_',
      eventLoopMonitoringPrecision: LAG_SAMPLE_MS,
    });
    // Their samples would say nothing at this rate; the lag at the moment of the scrape stays.
    for (const figure of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
      registry.removeSingleMetric(`gaze_inference_nodejs_eventloop_lag_${figure}_seconds`);
    }
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name: `gaze_inference_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    gauge('links', 'Gateways connected', links);
    gauge('queued_requests', 'Requests that wait for a worker', () => pool.state().queued);
    gauge(
      'queue_oldest_seconds',
      'How long the oldest waiting request has waited, 0 if none waits',
      () => (pool.state().oldestQueuedMs ?? 0) / 1000,
    );
    gauge('running_requests', 'Requests that a worker is at', () => pool.state().running);
    gauge('workers_ready', 'Workers that can take a request', () => pool.state().workersReady);
    gauge('workers_replaced', 'Workers replaced since the start: they crashed or hung', () => pool.state().replaced);
  }

  answered(status: InferenceStatus, serverMs: number): void {
    this.#answers.inc({ status });
    if (status === 'ok') this.#seconds.observe(serverMs / 1000);
  }
}
