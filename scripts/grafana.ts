import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly (readonly [expression: string, legend: string])[];
}

const quantile = (share: number, metric: string) =>
  `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket[5m])))`;

const PANELS: readonly Panel[] = [
  {
    title: 'Sessions',
    unit: 'short',
    queries: [
      ['sum by (mode, phase) (gaze_relay_sessions)', '{{mode}} {{phase}}'],
      ['sum(gaze_relay_sessions_detached)', 'waiting to come back'],
      ['sum(gaze_relay_connections{transport="post"})', 'over POSTs'],
    ],
  },
  {
    title: 'Students by state',
    unit: 'short',
    queries: [['sum by (state) (gaze_relay_sessions{phase="tracking"})', '{{state}}']],
  },
  {
    title: 'Messages by outcome',
    unit: 'reqps',
    queries: [
      ['sum by (outcome) (rate(gaze_relay_messages_answered_total[5m]))', '{{outcome}}'],
      ['sum by (outcome) (rate(gaze_relay_late_messages_answered_total[5m]))', 'late, {{outcome}}'],
    ],
  },
  {
    title: 'Frame, receipt to update',
    unit: 's',
    queries: [
      [quantile(0.5, 'gaze_relay_frame_seconds'), 'p50'],
      [quantile(0.99, 'gaze_relay_frame_seconds'), 'p99'],
    ],
  },
  {
    title: 'Inference answers by status',
    unit: 'reqps',
    queries: [['sum by (status) (rate(gaze_relay_inference_answers_total[5m]))', '{{status}}']],
  },
  {
    title: 'Inference replicas',
    unit: 'short',
    queries: [
      ['sum by (state) (gaze_relay_inference_links)', '{{state}}'],
      ['sum(gaze_inference_workers_ready)', 'workers ready'],
    ],
  },
  {
    title: 'Inference time, waiting included',
    unit: 's',
    queries: [
      [quantile(0.5, 'gaze_inference_seconds'), 'p50'],
      [quantile(0.99, 'gaze_inference_seconds'), 'p99'],
    ],
  },
  {
    title: 'Inference queue',
    unit: 'short',
    queries: [
      ['sum(gaze_inference_queued_requests)', 'waiting'],
      ['sum(gaze_inference_running_requests)', 'running'],
      ['max(gaze_inference_queue_oldest_seconds)', 'oldest, s'],
      ['sum(gaze_inference_workers_replaced)', 'workers replaced'],
    ],
  },
  {
    title: 'Spool: windows waiting',
    unit: 'short',
    queries: [
      ['sum(gaze_relay_spool_windows)', 'waiting'],
      ['sum(gaze_relay_spool_set_aside_windows)', 'rejected permanently'],
    ],
  },
  { title: 'Spool: age of the oldest', unit: 's', queries: [['max(gaze_relay_spool_oldest_seconds)', 'oldest']] },
  {
    title: 'Store: batches by outcome',
    unit: 'reqps',
    queries: [
      ['sum by (outcome) (rate(gaze_relay_store_deliveries_total[5m]))', '{{outcome}}'],
      ['sum by (result) (rate(gaze_relay_store_windows_total[5m]))', 'windows {{result}}'],
    ],
  },
  {
    title: 'Several gateways: who has whom',
    unit: 'short',
    queries: [
      ['max(gaze_relay_cluster_gateways)', 'gateways with students'],
      ['gaze_relay_owned_students', 'students of {{instance}}'],
      ['gaze_relay_checkpoint_age_seconds', 'age of the checkpoint, s, {{instance}}'],
    ],
  },
  {
    title: 'Several gateways: students who changed',
    unit: 'short',
    queries: [
      ['sum by (how) (increase(gaze_relay_students_taken_over_total[5m]))', 'taken over, {{how}}'],
      ['sum(increase(gaze_relay_students_handed_over_total[5m]))', 'handed over'],
      ['sum(increase(gaze_relay_students_lost_total[5m]))', 'lost to another gateway'],
      ['sum(increase(gaze_relay_gateways_booked_total[5m]))', 'gateways that were gone'],
    ],
  },
  {
    title: 'Several gateways: windows that wait in NATS',
    unit: 'short',
    queries: [
      ['max(gaze_relay_stream_windows)', 'windows'],
      ['max(gaze_relay_stream_oldest_seconds)', 'age of the oldest, s'],
    ],
  },
  {
    title: 'Memory',
    unit: 'bytes',
    queries: [
      ['gaze_relay_process_resident_memory_bytes', 'gateway'],
      ['gaze_inference_process_resident_memory_bytes', 'inference'],
    ],
  },
  {
    title: 'CPU',
    unit: 'percentunit',
    queries: [
      ['rate(gaze_relay_process_cpu_seconds_total[5m])', 'gateway'],
      ['rate(gaze_inference_process_cpu_seconds_total[5m])', 'inference'],
    ],
  },
];

const dashboard = {
  title: 'gaze-relay',
  uid: 'gaze-relay',
  schemaVersion: 39,
  time: { from: 'now-6h', to: 'now' },
  refresh: '30s',
  templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }] },
  panels: PANELS.map(({ title, unit, queries }, index) => ({
    id: index + 1,
    type: 'timeseries',
    title,
    datasource: { type: 'prometheus', uid: '$datasource' },
    gridPos: { x: (index % 3) * 8, y: Math.floor(index / 3) * 8, w: 8, h: 8 },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(([expr, legendFormat], query) => ({
      refId: String.fromCharCode(65 + query),
      expr,
      legendFormat,
    })),
  })),
};

const path = fileURLToPath(new URL('../docs/observability/grafana.json', import.meta.url));
await writeFile(path, `${JSON.stringify(dashboard, null, 2)}\n`);
process.stdout.write('docs/observability/grafana.json is written\n');
