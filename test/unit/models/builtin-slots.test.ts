import { readMessage } from '#shared/models/builtin/facts/reading.ts'
import { fillSlots } from '#shared/models/builtin/slots/fill-slots.ts'
import { cardOf } from '#shared/models/builtin/tool-card.ts'
import { readTool } from '#shared/models/tool-spec.ts'
import { assert, suite } from '#test/kit/suite.ts'

type Json = Readonly<Record<string, unknown>>

const TODAY = { year: 2026, month: 11, day: 21 }
const text = (description = '', more: Json = {}): Json => ({ type: 'string', description, ...more })
const integer = (description = '', more: Json = {}): Json => ({ type: 'integer', description, ...more })
const number = (description = '', more: Json = {}): Json => ({ type: 'number', description, ...more })
const flag = (description = '', more: Json = {}): Json => ({ type: 'boolean', description, ...more })
const list = (items: Json, description = ''): Json => ({ type: 'array', items, description })
const choice = (...values: string[]): Json => ({ type: 'string', enum: values })

function tool(name: string, description: string, properties: Json, required = Object.keys(properties)): object {
  return { name, description, parameters: { type: 'object', properties, required } }
}

function fill(definition: object, message: string): { args: Json; missing: string[] } {
  const { args, missing } = fillSlots(cardOf(readTool(definition)), readMessage(message, TODAY))
  return { args, missing: missing.map((leaf) => leaf.path.join('.')) }
}

const ORDER = tool('lookup_order_status', 'Look up the status of an order.', {
  order_id: text('The order number', { pattern: '^[0-9]{4,8}$' }),
})
const WEATHER = tool(
  'get_current_weather',
  'Get the current weather in a location',
  { location: text('The city and state, e.g. San Francisco, CA'), unit: choice('celsius', 'fahrenheit') },
  ['location'],
)
const RIDE = tool('request_ride', 'Request a ride', {
  pickup: text('Address or place of the pickup'),
  type: choice('plus', 'comfort', 'black'),
  wait: integer('Minutes the customer is willing to wait'),
})
const REFUND = tool(
  'refund_order',
  'Refund an order or a part of it',
  {
    order_id: text('Order number'),
    amount: number('Amount to refund in USD'),
    reason: text('Why the customer wants a refund'),
  },
  ['order_id'],
)
const MEETING = tool(
  'schedule_meeting',
  'Schedule a meeting',
  {
    title: text('Title of the meeting'),
    date: text('Date, YYYY-MM-DD', { format: 'date' }),
    time: text('Start time, HH:MM'),
    duration_minutes: integer('Length in minutes'),
    attendees: list(text(), 'E-mail addresses of the attendees'),
  },
  ['date', 'time'],
)
const MAIL = tool(
  'send_email',
  'Send an email',
  {
    to: text('Recipient address', { format: 'email' }),
    subject: text('Subject line'),
    body: text('Text of the message'),
  },
  ['to', 'body'],
)
const PLAN = tool(
  'change_plan',
  'Change the subscription plan of a customer',
  { plan: choice('free', 'starter', 'professional', 'enterprise'), seats: integer('Number of seats') },
  ['plan'],
)
const FLIGHT = tool(
  'search_flights',
  'Search flights between two cities',
  {
    origin: text('City of departure'),
    destination: text('City of arrival'),
    departure_date: text('Date of departure, YYYY-MM-DD'),
    return_date: text('Return date, YYYY-MM-DD'),
    passengers: integer('Number of passengers'),
    cabin: choice('economy', 'business', 'first'),
  },
  ['origin', 'destination', 'departure_date'],
)
const BMI = tool('calculate_bmi', 'Calculate the body mass index', {
  weight: number('Weight in kilograms'),
  height: number('Height in meters'),
})
const LOAN = tool('calculate_mortgage', 'Monthly payment of a mortgage', {
  loan_amount: number('Principal in dollars'),
  annual_interest_rate: number('Annual interest rate as a decimal, e.g. 0.05'),
  years: integer('Term of the loan in years'),
})
const RESTART = tool(
  'restart_service',
  'Restart a service',
  {
    service: text('Name of the service'),
    environment: choice('dev', 'staging', 'production'),
    force: flag('Kill without waiting'),
  },
  ['service', 'environment'],
)

const CASES: readonly (readonly [string, object, string, Json])[] = [
  ['an id by its pattern', ORDER, 'Where is my order 1042?', { order_id: '1042' }],
  ['an id behind a hash', ORDER, 'where is order #20481', { order_id: '20481' }],
  [
    'a place by its preposition',
    WEATHER,
    "What's the weather like in Boston in fahrenheit?",
    { location: 'Boston', unit: 'fahrenheit' },
  ],
  ['a place with what it lies in', WEATHER, 'Is it going to rain in Paris, France?', { location: 'Paris, France' }],
  ['a place in small letters', WEATHER, 'weather in boston', { location: 'boston' }],
  [
    'a street address',
    RIDE,
    'I need a comfort ride from 221B Baker Street, Berkeley, CA and can wait 10 minutes',
    { pickup: '221B Baker Street, Berkeley, CA', type: 'comfort', wait: 10 },
  ],
  [
    'money, an id and a reason',
    REFUND,
    'Please refund $20 of order 1042 because the cup was broken',
    { order_id: '1042', amount: 20, reason: 'the cup was broken' },
  ],
  [
    'a relative date, a time, a duration and mail addresses',
    MEETING,
    'Schedule a meeting with bob@acme.com and eve@acme.com tomorrow at 3pm for 45 minutes',
    { date: '2026-11-22', time: '15:00', duration_minutes: 45, attendees: ['bob@acme.com', 'eve@acme.com'] },
  ],
  [
    'a written date and a quoted title',
    MEETING,
    'Set up a meeting on March 3rd, 2027 at 14:30 titled "Budget review"',
    { title: 'Budget review', date: '2027-03-03', time: '14:30' },
  ],
  [
    'a mail address and the rest of the sentence',
    MAIL,
    'Send an email to ann@example.org saying the shipment is late',
    { to: 'ann@example.org', body: 'the shipment is late' },
  ],
  [
    'two quoted texts by their cues',
    MAIL,
    'Email bob@x.io with subject "Hello" and body "See you soon"',
    { to: 'bob@x.io', subject: 'Hello', body: 'See you soon' },
  ],
  ['a misspelt choice', PLAN, 'Upgrade me to the profesional plan with 12 seats', { plan: 'professional', seats: 12 }],
  [
    'from, to, a date and a count',
    FLIGHT,
    'Find me a business flight from London to New York on 5 May 2027 for 2 people',
    { origin: 'London', destination: 'New York', departure_date: '2027-05-05', passengers: 2, cabin: 'business' },
  ],
  [
    'a date range',
    FLIGHT,
    'flights from berlin to rome on 2027-01-10 returning 2027-01-17',
    { origin: 'berlin', destination: 'rome', departure_date: '2027-01-10', return_date: '2027-01-17' },
  ],
  [
    'units converted to those the slot wants',
    BMI,
    'What is the BMI of somebody who weighs 80 kg and is 180 cm tall?',
    { weight: 80, height: 1.8 },
  ],
  [
    'a percentage as the decimal the slot wants',
    LOAN,
    'Monthly payment on a $300,000 mortgage at 4.5% over 30 years?',
    { loan_amount: 300_000, annual_interest_rate: 0.045, years: 30 },
  ],
  [
    'a hyphenated name and a flag',
    RESTART,
    'please restart billing-worker on staging, force it',
    { service: 'billing-worker', environment: 'staging', force: true },
  ],
  [
    'a negated flag',
    RESTART,
    'restart nginx in production without force',
    { service: 'nginx', environment: 'production', force: false },
  ],
]

suite('slot filling', ({ test }) => {
  for (const [what, definition, message, wanted] of CASES) {
    test(`fills ${what}`, () => {
      assert.equal(fill(definition, message), { args: wanted, missing: [] })
    })
  }

  test('leaves open what was not said', () => {
    assert.equal(fill(ORDER, 'Where is my order?'), { args: {}, missing: ['order_id'] })
    assert.equal(fill(PLAN, 'I want to change my plan'), { args: {}, missing: ['plan'] })
    assert.equal(fill(BMI, 'I weigh 80 kg'), { args: { weight: 80 }, missing: ['height'] })
    assert.equal(
      fill(
        tool('update_address', 'Change the address of an order', {
          order_id: text('number', { pattern: '^\\d{4}$' }),
          address: text('The new address'),
        }),
        'Change the address of order 1042',
      ).missing,
      ['address'],
    )
  })

  test('numbers go to their cues, whatever the order', () => {
    const area = tool('box', 'Volume of a box', {
      width: number('Width'),
      height: number('Height'),
      depth: number('Depth'),
    })
    assert.equal(fill(area, 'a box with a height of 3, 5 wide depth, and width 7').args['height'], 3)
    assert.equal(fill(area, 'box of depth 2, width 7 and height 3').args, { width: 7, height: 3, depth: 2 })
    assert.equal(fill(area, 'its width, height and depth are 4, 5 and 6').args, { width: 4, height: 5, depth: 6 })
  })

  test('slots that differ by a number only are filled in the order of the text', () => {
    const gcd = tool('gcd', 'Greatest common divisor', {
      num1: integer('First number'),
      num2: integer('Second number'),
    })
    assert.equal(fill(gcd, 'The greatest common divisor of the two numbers 36 and 24').args, { num1: 36, num2: 24 })
    const quadratic = tool('solve', 'Solve a quadratic equation', { a: number(), b: number(), c: number() })
    assert.equal(fill(quadratic, 'Solve with c=-3, a = 2 and b=5.5').args, { a: 2, b: 5.5, c: -3 })
  })

  test('lists of numbers, names and choices', () => {
    const mean = tool('mean', 'Mean of numbers', { numbers: list(number()) })
    assert.equal(fill(mean, 'mean of [12, -3, 4.5]').args, { numbers: [12, -3, 4.5] })
    assert.equal(fill(mean, 'the average of 12, 15, 18 and 21').args, { numbers: [12, 15, 18, 21] })
    const team = tool('invite', 'Invite people', { people: list(text('Name of a person')) })
    assert.equal(fill(team, 'Invite Ann, Bob and Carol').args, { people: ['Ann', 'Bob', 'Carol'] })
    const pizza = tool('pizza', 'Order a pizza', { toppings: list(choice('ham', 'olives', 'mushrooms')) })
    assert.equal(fill(pizza, 'a pizza with mushrooms and olives').args, { toppings: ['mushrooms', 'olives'] })
  })

  test('nested objects are filled by their fields', () => {
    const book = tool('book', 'Book a room', {
      guest: {
        type: 'object',
        properties: { email: text('', { format: 'email' }), adults: integer('Number of adults') },
        required: ['email'],
      },
      nights: integer('Number of nights'),
    })
    assert.equal(fill(book, 'Book 3 nights for 2 adults, mail bob@x.io'), {
      args: { guest: { email: 'bob@x.io', adults: 2 }, nights: 3 },
      missing: [],
    })
    assert.equal(fill(book, 'Book 3 nights').missing, ['guest.email'])
  })

  test('an object without declared fields takes pairs', () => {
    const update = tool('update', 'Update a user', {
      user_id: integer('Id of the user'),
      fields: { type: 'object', description: 'What to change' },
    })
    assert.equal(fill(update, "Update user with id 42: 'name':'John Doe', 'age': 41").args, {
      user_id: 42,
      fields: { name: 'John Doe', age: 41 },
    })
  })

  test('money, currencies, languages and units are read from everyday words', () => {
    const exchange = tool('convert_currency', 'Convert money', {
      amount: number('Amount'),
      from_currency: text('Currency to convert from'),
      to_currency: text('Currency to convert to'),
    })
    assert.equal(fill(exchange, 'Convert 150 euros to Canadian dollars').args, {
      amount: 150,
      from_currency: 'EUR',
      to_currency: 'CAD',
    })
    assert.equal(fill(exchange, 'How many yen do I get for $500?').args, {
      amount: 500,
      from_currency: 'USD',
      to_currency: 'JPY',
    })
    const translate = tool('translate', 'Translate a text', {
      text: text('Text to translate'),
      target_language: text('Language to translate to'),
    })
    assert.equal(fill(translate, "Translate 'good morning' to French").args, {
      text: 'good morning',
      target_language: 'French',
    })
    const convert = tool('unit_convert', 'Convert a value', {
      value: number('Value'),
      from_unit: text('Unit to convert from'),
      to_unit: text('Unit to convert to'),
    })
    assert.equal(fill(convert, 'Convert 10 miles to kilometers').args, {
      value: 10,
      from_unit: 'miles',
      to_unit: 'kilometers',
    })
  })

  test('bounds of a schema are kept, and tell a maximum from a minimum', () => {
    const search = tool(
      'search',
      'Search products',
      { min_price: number('Lowest price'), max_price: number('Highest price') },
      [],
    )
    assert.equal(fill(search, 'search products under $200').args, { max_price: 200 })
    assert.equal(fill(search, 'products for at least 50 dollars').args, { min_price: 50 })
    const dice = tool('roll', 'Roll dice', { dice: integer('Number of dice', { minimum: 1, maximum: 6 }) })
    assert.equal(fill(dice, 'roll 70 dice').missing, ['dice'])
  })

  test('a documented default fills a required slot, nothing fills an optional one', () => {
    const get = tool(
      'list_orders',
      'List orders',
      {
        limit: integer('How many. Default is 10'),
        sort: text('Order of the list', { default: 'date' }),
        page: integer('Page, default 1'),
      },
      ['limit', 'sort'],
    )
    assert.equal(fill(get, 'List my orders'), { args: { limit: 10, sort: 'date' }, missing: [] })
  })

  test('an id is also found in the other case', () => {
    const parcel = tool('track', 'Track a parcel', { code: text('Tracking code', { pattern: '^[A-Z]{2}\\d{6}$' }) })
    assert.equal(fill(parcel, 'track ab123456 please').args, { code: 'AB123456' })
  })

  test('nobody’s words are used twice', () => {
    const pair = tool('compare', 'Compare two cities', { city1: text('First city'), city2: text('Second city') })
    assert.equal(fill(pair, 'Compare Oslo').missing, ['city2'])
    assert.equal(fill(pair, 'Compare Oslo with Bergen').args, { city1: 'Oslo', city2: 'Bergen' })
  })

  test('formulas, their coefficients, and the point they are taken at', () => {
    const derive = tool(
      'derivative',
      'Derivative of a function',
      { function: text('Function to differentiate'), point: number('Point at which to evaluate') },
      ['function'],
    )
    assert.equal(fill(derive, 'What is the derivative of x**3 - 4 at x = 2?').args, { function: 'x**3 - 4', point: 2 })
    const integrate = tool('integrate', 'Definite integral of a function', {
      function: text('The function to integrate'),
      lower: number('Lower limit'),
      upper: number('Upper limit'),
    })
    assert.equal(fill(integrate, 'Integrate f(x) = 3x^2 + 2x between 0 and 5').args, {
      function: '3x^2 + 2x',
      lower: 0,
      upper: 5,
    })
    assert.equal(fill(integrate, 'the area under y = sin(x) from x = 0 to x = 3.14').args, {
      function: 'sin(x)',
      lower: 0,
      upper: 3.14,
    })
    const quadratic = tool('solve_quadratic', 'Solve a quadratic equation', {
      a: number('Coefficient of x squared'),
      b: number('Coefficient of x'),
      c: number('Constant'),
    })
    assert.equal(fill(quadratic, 'Solve 2x^2 - 5x + 3 = 0').args, { a: 2, b: -5, c: 3 })
  })

  test('a charge of 1e-9 is a number and no formula', () => {
    const force = tool('force', 'Force between charges', {
      charge1: number('First charge'),
      charge2: number('Second charge'),
    })
    assert.equal(fill(force, 'between two bodies of 1e-9 and 2e-9').args, { charge1: 1e-9, charge2: 2e-9 })
  })

  test('ranges, counts in words, and one of a unit', () => {
    const flats = tool(
      'find_flats',
      'Find flats',
      {
        city: text('City'),
        bedrooms: integer('Bedrooms'),
        min_price: integer('Min price'),
        max_price: integer('Max price'),
      },
      ['city', 'bedrooms'],
    )
    assert.equal(fill(flats, '2 bedroom flats in Seattle between $1500 and $2500').args, {
      city: 'Seattle',
      bedrooms: 2,
      min_price: 1500,
      max_price: 2500,
    })
    const paint = tool(
      'paint',
      'Paint needed',
      { width: integer('Width in feet'), height: integer('Height in feet'), coats: integer('Coats of paint') },
      ['width', 'height'],
    )
    assert.equal(fill(paint, 'paint for a wall 12 feet by 8 feet with two coats').args, {
      width: 12,
      height: 8,
      coats: 2,
    })
    const forecast = tool(
      'forecast',
      'Forecast',
      { days: integer('Number of days'), months: integer('Number of months') },
      ['months'],
    )
    assert.equal(fill(forecast, 'a forecast for the next month').args, { months: 1 })
  })

  test('a date in its parts, and the two names of a person', () => {
    const birthday = tool('birthday', 'Remember a birthday', {
      first_name: text('First name'),
      last_name: text('Last name'),
      day: integer('Day'),
      month: integer('Month'),
      year: integer('Year'),
    })
    assert.equal(fill(birthday, 'Maria Lopez was born on March 15, 1987').args, {
      first_name: 'Maria',
      last_name: 'Lopez',
      day: 15,
      month: 3,
      year: 1987,
    })
  })

  test('two lists told apart', () => {
    const correlation = tool('correlation', 'Correlation', {
      x: list(number(), 'First variable'),
      y: list(number(), 'Second variable'),
    })
    assert.equal(fill(correlation, 'correlation of 1, 2, 3 and 2, 4, 6').args, { x: [1, 2, 3], y: [2, 4, 6] })
    assert.equal(fill(correlation, 'correlation of x = [1,2,3] and y = [2,4,6]').args, { x: [1, 2, 3], y: [2, 4, 6] })
  })

  test('an aspect and the thing it is of; a title that holds an and', () => {
    const chemistry = tool('element', 'Properties of a chemical element', {
      element: text('Name of the element'),
      property: text('Property wanted'),
    })
    assert.equal(fill(chemistry, 'What is the boiling point of mercury?').args, {
      element: 'mercury',
      property: 'boiling point',
    })
    const book = tool(
      'find_book',
      'Find a book',
      { title: text('Title of the book'), author: text('Author of the book') },
      ['title'],
    )
    assert.equal(fill(book, 'Find the novel Pride and Prejudice by Jane Austen').args, {
      title: 'Pride and Prejudice',
      author: 'Jane Austen',
    })
  })
})
