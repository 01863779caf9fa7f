import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { METRICS } from './metric-names.ts'
import type { LabelsOf, MetricName, NamesOfType } from './metric-names.ts'

/**
 * The metrics of one process, by their names in metric-names.ts. A fresh registry for each, so that several roles in
 * one process (and tests) do not share. No label ever holds an id: tenants, users and conversations are unbounded.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #histograms = new Map<string, Histogram>()

  constructor(role: string) {
    this.#registry.setDefaultLabels({ role })
    for (const [name, spec] of Object.entries(METRICS)) {
      const common = { name, help: spec.help, labelNames: [...spec.labels], registers: [this.#registry] }
      if (spec.type === 'counter') this.#counters.set(name, new Counter(common))
      else if (spec.type === 'gauge') this.#gauges.set(name, new Gauge(common))
      else this.#histograms.set(name, new Histogram({ ...common, buckets: [...spec.buckets] }))
    }
    this.#ofProcess()
  }

  count<Name extends NamesOfType<'counter'>>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.#counters.get(name)!.inc(labels, by)
  }

  gauge<Name extends NamesOfType<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#gauges.get(name)!.set(labels, value)
  }

  /** Read when somebody asks for the metrics, not before. */
  measure<Name extends NamesOfType<'gauge'>>(name: Name, labels: LabelsOf<Name>, read: () => number): void {
    const gauge = this.#gauges.get(name)!
    const reader = gauge as Gauge & { collect?: () => void }
    const before = reader.collect?.bind(reader)
    reader.collect = () => {
      before?.()
      gauge.set(labels, read())
    }
  }

  /** Seconds for times, bytes for sizes, as the name says. */
  observe<Name extends NamesOfType<'histogram'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#histograms.get(name)!.observe(labels, value)
  }

  /** The text format of Prometheus. */
  render(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** The value now, for tests and the CLI; 0 when it was never touched. */
  async value(name: MetricName, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const metric = await this.#registry.getSingleMetric(name)?.get()
    const found = metric?.values.filter((entry) =>
      Object.entries(labels).every(([label, wanted]) => Reflect.get(entry.labels, label) === wanted),
    )
    return found?.reduce((sum, entry) => sum + entry.value, 0) ?? 0
  }

  #ofProcess(): void {
    this.measure('waggle_process_cpu_seconds', {}, () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
    this.measure('waggle_process_resident_bytes', {}, () => process.memoryUsage.rss())
    this.measure('waggle_process_heap_bytes', {}, () => process.memoryUsage().heapUsed)
  }
}
