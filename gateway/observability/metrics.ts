import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CalibrationRefused } from '../../shared/protocol/calibration.ts';
import type { ClientMessage } from '../../shared/protocol/frames.ts';
import type { Outcome } from '../../shared/protocol/update.ts';
import type { LinkAnswer } from '../relay/inference-link.ts';

/** The library samples the event loop by a timer, by default a hundred times a second: most of what an idle service would do. */
const LAG_SAMPLE_MS = 60_000;

/** From a quick answer on one machine to the frame's budget. */
const LATENCY_BUCKETS_S = [0.002, 0.005, 0.01, 0.02, 0.035, 0.06, 0.1, 0.2, 0.5, 1, 2];

/** What is read at the moment of a scrape. */
export interface GaugeReadings {
  /** Connections, each with what is known of its session. */
  readonly sessions: () => readonly {
    readonly transport: string;
    readonly mode: string;
    readonly phase: string;
    readonly state: string;
  }[];
  readonly detachedSessions: () => number;
  readonly links: () => readonly { readonly state: string }[];
  readonly spoolDepth: () => number;
  readonly spoolOldestAgeMs: () => number | null;
  readonly spoolSetAside: () => number;
  readonly calibrationsWaiting: () => number;
  /** Null: this gateway stands alone. */
  readonly cluster: (() => ClusterGauges) | null;
}

/** Who has whom, as this gateway sees it. */
export interface ClusterGauges {
  readonly gateways: number;
  readonly owned: number;
  readonly gatewaysBooked: number;
  readonly checkpointAgeMs: number | null;
  readonly takenOver: Readonly<Record<string, number>>;
  readonly handedOver: number;
  readonly lost: number;
  /** Windows of all gateways in NATS, and the age of the oldest, as this gateway last saw it. */
  readonly streamWindows: number;
  readonly streamOldestAgeMs: number;
}

/** A counter with one label: plain numbers until a scrape, because the library's own cost a microsecond each time. */
class Tally<Value extends string> {
  readonly #counts = new Map<Value, number>();

  constructor(registry: Registry, name: string, help: string, label: string) {
    const counts = this.#counts;
    new Counter({
      name: `gaze_relay_${name}`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of counts) this.inc({ [label]: value }, count);
      },
    });
  }

  add(value: Value, count = 1): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
  }
}

/** The gateway's metrics, each with the prefix `gaze_relay_`. */
export class GatewayMetrics {
  readonly registry = new Registry();
  readonly #received = new Tally<ClientMessage['kind']>(
    this.registry,
    'messages_received_total',
    'Binary messages of clients by kind',
    'kind',
  );
  readonly #answered = new Tally<Outcome>(
    this.registry,
    'messages_answered_total',
    'Updates sent, by what became of the message',
    'outcome',
  );
  readonly #answeredLate = new Tally<Outcome>(
    this.registry,
    'late_messages_answered_total',
    'Updates to messages that an outage held back, by outcome; in messages_answered_total too',
    'outcome',
  );
  readonly #answers = new Tally<LinkAnswer['status']>(
    this.registry,
    'inference_answers_total',
    'Answers of inference, by status',
    'status',
  );
  readonly #deliveries = new Tally<'stored' | 'unreachable' | 'rejected'>(
    this.registry,
    'store_deliveries_total',
    'Batches of windows handed to the store, by outcome',
    'outcome',
  );
  readonly #windows = new Tally<'applied' | 'repeated'>(
    this.registry,
    'store_windows_total',
    'Windows the store took, first (applied) or again (repeated)',
    'result',
  );
  readonly #closes = new Tally<string>(
    this.registry,
    'connections_closed_total',
    'Connections ended by the gateway, by close code',
    'code',
  );
  readonly #displaced = new Counter({
    name: 'gaze_relay_connections_displaced_total',
    help: 'Connections without a ticket that were ended to make place for others',
    registers: [this.registry],
  });
  readonly #refusedOrigins = new Counter({
    name: 'gaze_relay_origins_refused_total',
    help: 'Connections refused because their page is of an origin that is not in ALLOWED_ORIGINS',
    registers: [this.registry],
  });
  readonly #refusals = new Tally<string>(
    this.registry,
    'errors_sent_total',
    'Errors that clients were sent, by code: refused messages and ended connections',
    'code',
  );
  readonly #calibrations = new Tally<'applied' | 'inexact' | CalibrationRefused['reason']>(
    this.registry,
    'calibrations_total',
    'Calibrations that students finished, by what came of them',
    'outcome',
  );
  readonly #frameSeconds = new Histogram({
    name: 'gaze_relay_frame_seconds',
    help: 'From the receipt of a frame to its update',
    buckets: LATENCY_BUCKETS_S,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({
      register: this.registry,
      prefix: 'gaze_relay_',
      eventLoopMonitoringPrecision: LAG_SAMPLE_MS,
    });
    // Their samples would say nothing at this rate; the lag at the moment of the scrape stays.
    for (const figure of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
      this.registry.removeSingleMetric(`gaze_relay_nodejs_eventloop_lag_${figure}_seconds`);
    }
  }

  received(kind: ClientMessage['kind']): void {
    this.#received.add(kind);
  }

  /** A connection without a ticket was disconnected to make place for another. */
  displaced(): void {
    this.#displaced.inc();
  }

  /** A page of an origin that is not allowed was refused. */
  refusedOrigin(): void {
    this.#refusedOrigins.inc();
  }

  /** A client was sent an error. */
  refused(code: string): void {
    this.#refusals.add(code);
  }

  answered(outcome: Outcome, late: boolean): void {
    this.#answered.add(outcome);
    if (late) this.#answeredLate.add(outcome);
  }

  inferred(status: LinkAnswer['status'], receiptToAnswerMs: number): void {
    this.#answers.add(status);
    if (status === 'ok') this.#frameSeconds.observe(receiptToAnswerMs / 1000);
  }

  delivered(outcome: 'stored' | 'unreachable' | 'rejected', applied: number, repeated: number): void {
    this.#deliveries.add(outcome);
    this.#windows.add('applied', applied);
    this.#windows.add('repeated', repeated);
  }

  /** A calibration was answered: in use, too inexact for it, or refused for a reason. */
  calibrated(outcome: 'applied' | 'inexact' | CalibrationRefused['reason']): void {
    this.#calibrations.add(outcome);
  }

  closed(code: number): void {
    this.#closes.add(String(code));
  }

  /** Adds the gauges, which are read at a scrape. */
  watch(readings: GaugeReadings): void {
    const { registry } = this;
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name: `gaze_relay_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    const tally = (name: string, help: string, labelNames: string[], read: () => readonly Record<string, string>[]) =>
      new Gauge({
        name: `gaze_relay_${name}`,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset();
          for (const labels of read()) this.inc(labels);
        },
      });
    tally(
      'sessions',
      'Sessions with a connection, by mode, phase of the connection and state of the student',
      ['mode', 'phase', 'state'],
      () => readings.sessions().map(({ mode, phase, state }) => ({ mode, phase, state })),
    );
    tally('connections', 'Open connections, by what carries them: WebSocket, or POSTs', ['transport'], () =>
      readings.sessions().map(({ transport }) => ({ transport })),
    );
    gauge('sessions_detached', 'Sessions without a connection that may be resumed', readings.detachedSessions);
    tally('inference_links', 'Inference replicas by the state of their link', ['state'], () =>
      readings.links().map(({ state }) => ({ state })),
    );
    gauge('spool_windows', 'Windows on disk that wait for the store', readings.spoolDepth);
    gauge(
      'spool_oldest_seconds',
      'Age of the window that waits longest, 0 if none waits',
      () => (readings.spoolOldestAgeMs() ?? 0) / 1000,
    );
    gauge('calibrations_waiting', 'Calibrations on disk that wait for the store', readings.calibrationsWaiting);
    if (readings.cluster !== null) watchCluster(registry, readings.cluster);
    gauge('spool_set_aside_windows', 'Windows the store rejected permanently', readings.spoolSetAside);
  }
}

/** What a gateway among several adds. */
function watchCluster(registry: Registry, read: () => ClusterGauges): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `gaze_relay_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  const total = (name: string, help: string, label: string | null, values: () => Readonly<Record<string, number>>) =>
    new Counter({
      name: `gaze_relay_${name}`,
      help,
      labelNames: label === null ? [] : [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(values()))
          this.inc(label === null ? {} : { [label]: value }, count);
      },
    });
  gauge('cluster_gateways', 'Gateways connected to NATS, this one included; 0 without students', () => read().gateways);
  gauge('stream_windows', 'Windows of all gateways that wait in NATS for the store', () => read().streamWindows);
  gauge(
    'stream_oldest_seconds',
    'Age of the window that waits longest in NATS, 0 if none waits',
    () => read().streamOldestAgeMs / 1000,
  );
  gauge('owned_students', 'Students that this gateway has', () => read().owned);
  gauge(
    'checkpoint_age_seconds',
    'Age of the newest state of students in NATS while they count, 0 before the first',
    () => (read().checkpointAgeMs ?? 0) / 1000,
  );
  total(
    'students_taken_over_total',
    'Students taken over from another gateway: by its answer (handed), from its checkpoint, with nothing, or without knowing (unknown)',
    'how',
    () => read().takenOver,
  );
  total('students_handed_over_total', 'Students given to another gateway', null, () => ({ all: read().handedOver }));
  total('students_lost_total', 'Students that another gateway took without an answer of this one', null, () => ({
    all: read().lost,
  }));
  total('gateways_booked_total', 'Gateways that were gone and whose open windows were booked', null, () => ({
    all: read().gatewaysBooked,
  }));
}
