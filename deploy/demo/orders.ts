/**
 * What the demo shop knows. The same on every machine and every day: dates are counted from today, so that an order that
 * is on its way stays on its way.
 */
export interface Order {
  readonly order_id: string
  readonly status: 'processing' | 'shipped' | 'delivered' | 'cancelled'
  /** The status in words, to be read after "Order 1042". */
  readonly status_text: string
  readonly placed_on: string
  readonly contents: string
  readonly total: string
  readonly carrier?: string
  readonly tracking_number?: string
  /** When it is expected, in words. */
  readonly expected?: string
  readonly expected_on?: string
}

export interface Invoice {
  readonly invoice_id: string
  readonly order_id: string
  readonly amount: string
  readonly issued_on: string
  readonly status: 'open' | 'paid' | 'overdue'
  readonly status_text: string
  readonly due_on?: string
}

export interface ServiceStatus {
  readonly service: string
  readonly title: string
  readonly status: 'up' | 'degraded' | 'down'
  readonly status_text: string
  readonly note?: string
}

/** What belongs to one person is answered to nobody else; the rest to every customer of the demo. */
export interface Owned<Thing> {
  readonly owner: string | null
  readonly thing: Thing
}

const DAY_MS = 86_400_000

export function ordersOn(today: number): ReadonlyMap<string, Owned<Order>> {
  const orders: Owned<Order>[] = [
    own({
      order_id: '1042',
      status: 'shipped',
      status_text: 'is on its way',
      placed_on: iso(today, -3),
      contents: '1 desk lamp and 2 light bulbs',
      total: '64.80 EUR',
      carrier: 'Nordpost',
      tracking_number: 'NP-1042-7731',
      expected: inWords(today, 2),
      expected_on: iso(today, 2),
    }),
    own({
      order_id: '1043',
      status: 'processing',
      status_text: 'is being packed',
      placed_on: iso(today, -1),
      contents: '1 standing desk',
      total: '389.00 EUR',
      expected: inWords(today, 5),
      expected_on: iso(today, 5),
    }),
    own({
      order_id: '1044',
      status: 'delivered',
      status_text: `was delivered on ${inWords(today, -4)}`,
      placed_on: iso(today, -9),
      contents: '1 monitor arm',
      total: '119.00 EUR',
      carrier: 'Nordpost',
      tracking_number: 'NP-1044-2208',
    }),
    own({
      order_id: '1045',
      status: 'cancelled',
      status_text: `was cancelled on ${inWords(today, -6)}`,
      placed_on: iso(today, -7),
      contents: '3 notebooks',
      total: '17.70 EUR',
    }),
    own(
      {
        order_id: '2001',
        status: 'shipped',
        status_text: 'is on its way',
        placed_on: iso(today, -2),
        contents: '1 headset',
        total: '89.90 EUR',
        carrier: 'Nordpost',
        tracking_number: 'NP-2001-0415',
        expected: inWords(today, 1),
        expected_on: iso(today, 1),
      },
      'bea',
    ),
  ]
  return new Map(orders.map((one) => [one.thing.order_id, one]))
}

export function invoicesOn(today: number): ReadonlyMap<string, Owned<Invoice>> {
  const invoices: Owned<Invoice>[] = [
    own({
      invoice_id: 'INV-7001',
      order_id: '1042',
      amount: '64.80 EUR',
      issued_on: iso(today, -3),
      status: 'open',
      status_text: 'is open',
      due_on: inWords(today, 11),
    }),
    own({
      invoice_id: 'INV-7002',
      order_id: '1044',
      amount: '119.00 EUR',
      issued_on: iso(today, -9),
      status: 'paid',
      status_text: `was paid on ${inWords(today, -8)}`,
    }),
    own({
      invoice_id: 'INV-7003',
      order_id: '1043',
      amount: '389.00 EUR',
      issued_on: iso(today, -1),
      status: 'open',
      status_text: 'is open',
      due_on: inWords(today, 13),
    }),
    own({
      invoice_id: 'INV-6950',
      order_id: '0990',
      amount: '42.00 EUR',
      issued_on: iso(today, -40),
      status: 'overdue',
      status_text: 'is overdue',
      due_on: inWords(today, -26),
    }),
  ]
  return new Map(invoices.map((one) => [one.thing.invoice_id, one]))
}

export const SERVICES: ReadonlyMap<string, ServiceStatus> = new Map(
  (
    [
      { service: 'shop', title: 'The web shop', status: 'up', status_text: 'is up' },
      { service: 'app', title: 'The mobile app', status: 'up', status_text: 'is up' },
      {
        service: 'payments',
        title: 'Payment',
        status: 'degraded',
        status_text: 'is slower than usual',
        note: 'Card payments may take up to a minute; nothing is charged twice.',
      },
      { service: 'tracking', title: 'Delivery tracking', status: 'up', status_text: 'is up' },
    ] as const
  ).map((one) => [one.service, one]),
)

/** Amounts of an order may be refunded once it has left, until this many days after it was placed. */
export const REFUND_DAYS = 30

export function refundRefusal(order: Order, today: number): string | null {
  if (order.status === 'cancelled') return `Order ${order.order_id} was cancelled; nothing was charged for it.`
  if (order.status === 'processing')
    return `Order ${order.order_id} has not left yet, so it can be cancelled instead of refunded.`
  const age = Math.floor((today - Date.parse(order.placed_on)) / DAY_MS)
  return age > REFUND_DAYS ? `Order ${order.order_id} is older than ${REFUND_DAYS} days.` : null
}

function own<Thing>(thing: Thing, owner: string | null = null): Owned<Thing> {
  return { owner, thing }
}

function iso(today: number, days: number): string {
  return new Date(today + days * DAY_MS).toISOString().slice(0, 10)
}

const WORDS = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' })

function inWords(today: number, days: number): string {
  return WORDS.format(new Date(today + days * DAY_MS)).replace(',', '')
}
