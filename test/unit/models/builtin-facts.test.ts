import { readDates, readTimes, writeDate, writeTime } from '#shared/models/builtin/facts/date.ts'
import { readNumbers } from '#shared/models/builtin/facts/number.ts'
import { readMessage } from '#shared/models/builtin/facts/reading.ts'
import { convertUnit, unitNamed, unitWanted } from '#shared/models/builtin/facts/unit.ts'
import { stem } from '#shared/text/stem.ts'
import { splitName } from '#shared/text/words.ts'
import { countTokens } from '#shared/text/tokens.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** A Saturday. */
const TODAY = { year: 2026, month: 11, day: 21 }
const dates = (text: string, form = ''): string[] => readDates(text, TODAY).map((fact) => writeDate(fact.date, form))
const values = (text: string): number[] => readNumbers(text).map((fact) => fact.value)

suite('numbers', ({ test }) => {
  test('in digits, with signs, separators, exponents and scales', () => {
    const said: readonly (readonly [string, number[]])[] = [
      ['base of 10 and height 5.5', [10, 5.5]],
      ['$1,250,000.50', [1_250_000.5]],
      ['from -3 to −4', [-3, -4]],
      ['x=-2.5', [-2.5]],
      ['1.5e-3 and 2E6', [0.0015, 2_000_000]],
      ['6.02 x 10^23', [6.02e23]],
      ['1e3', [1000]],
      ['$5k or 2 million or 3bn', [5000, 2_000_000, 3_000_000_000]],
      ['.5', [0.5]],
      ['5-10 people', [5, 10]],
    ]
    for (const [text, wanted] of said) assert.equal(values(text).slice(0, wanted.length), wanted, text)
  })

  test('in words', () => {
    assert.equal(values('twenty-one thousand three hundred and five'), [21_305])
    assert.equal(values('two adults and one child'), [2, 1])
    assert.equal(values('that one'), [])
    assert.equal(values('a hundred'), [100])
    assert.equal(values('someone often tends'), [])
  })

  test('know their unit, currency and label', () => {
    const [weight, height] = readNumbers('80kg and 1.8 m')
    assert.equal([weight?.unit?.dimension, height?.unit?.dimension], ['mass', 'length'])
    assert.equal(
      readNumbers('€20, 30 US dollars, 5 yen').map((fact) => fact.currency),
      ['EUR', 'USD', 'JPY'],
    )
    assert.equal(
      readNumbers('a = 2, side: 3').map((fact) => fact.label),
      ['a', 'side'],
    )
    assert.equal(
      readNumbers('5% of 25°C at 90 km/h over 3 light years').map((fact) => fact.unit?.dimension),
      ['percent', 'temperature', 'speed', 'length'],
    )
  })

  test('a letter after a blank is a word before it is a unit', () => {
    assert.equal(
      readNumbers('5 a day').map((fact) => fact.unit),
      [null],
    )
    assert.equal(
      readNumbers('room 5 in Paris').map((fact) => fact.unit),
      [null],
    )
  })
})

suite('units', ({ test }) => {
  const convert = (value: number, from: string, to: string): number => {
    const [a, b] = [unitNamed(from), unitNamed(to)]
    if (a === null || b === null) throw new Error(`unknown: ${from} or ${to}`)
    return convertUnit(value, a, b)
  }

  test('convert exactly within a dimension and not at all across', () => {
    assert.is(convert(180, 'cm', 'm'), 1.8)
    assert.is(convert(1, 'mile', 'km'), 1.609344)
    assert.is(convert(100, '°C', 'fahrenheit'), 212)
    assert.is(convert(0, 'K', 'celsius'), -273.15)
    assert.is(convert(90, 'minutes', 'hours'), 1.5)
    assert.is(convert(100, 'µF', 'farads'), 0.0001)
    assert.is(convert(5, 'kg', 'm'), 5)
  })

  test('wanted are those the name or the description names', () => {
    assert.is(unitWanted(['weight', 'kg'], '')?.dimension, 'mass')
    assert.is(unitWanted(['height'], 'The height in centimeters.')?.factor, 0.01)
    assert.is(unitWanted(['inductance'], 'The inductance (L) in henries (H).')?.dimension, 'inductance')
    assert.is(unitWanted(['name'], 'The name of a person in a city'), null)
  })
})

suite('dates and times', ({ test }) => {
  test('in the common written forms', () => {
    const said: readonly (readonly [string, string])[] = [
      ['2027-03-10', '2027-03-10'],
      ['2027/03/10', '2027-03-10'],
      ['03/10/2027', '2027-03-10'],
      ['25/12/2027', '2027-12-25'],
      ['10.03.2027', '2027-03-10'],
      ['March 10th, 2027', '2027-03-10'],
      ['Mar.10, 2027', '2027-03-10'],
      ['10 March 2027', '2027-03-10'],
      ['the 10th of March 2027', '2027-03-10'],
      ['March 2027', '2027-03'],
    ]
    for (const [text, wanted] of said) assert.equal(dates(text), [wanted], text)
  })

  test('relative to today', () => {
    const said: readonly (readonly [string, string])[] = [
      ['today', '2026-11-21'],
      ['tomorrow', '2026-11-22'],
      ['the day after tomorrow', '2026-11-23'],
      ['yesterday', '2026-11-20'],
      ['in three days', '2026-11-24'],
      ['2 weeks ago', '2026-11-07'],
      ['next Monday', '2026-11-23'],
      ['last friday', '2026-11-20'],
      ['on Wednesday', '2026-11-25'],
      ['next week', '2026-11-28'],
      ['in a month', '2026-12-21'],
      ['December 25', '2026-12-25'],
      ['3 January', '2027-01-03'],
    ]
    for (const [text, wanted] of said) assert.equal(dates(text), [wanted], text)
  })

  test('a month later is the last day where there is no such day, and a leap day has one', () => {
    const from = (day: { year: number; month: number; day: number }, text: string): string[] =>
      readDates(text, day).map((fact) => writeDate(fact.date, ''))
    assert.equal(from({ year: 2027, month: 1, day: 31 }, 'in a month'), ['2027-02-28'])
    assert.equal(from({ year: 2028, month: 2, day: 29 }, 'next year'), ['2029-02-28'])
    assert.equal(from({ year: 2026, month: 12, day: 31 }, 'tomorrow'), ['2027-01-01'])
  })

  test('days that do not exist are no dates', () => {
    assert.equal(dates('2027-02-30 or 13/13/2027 or April 31, 2027'), [])
  })

  test('a range shares its year, and a date written out beats words about now', () => {
    assert.equal(dates('from July 10 to July 20, 2028'), ['2028-07-10', '2028-07-20'])
    assert.equal(dates('next month (April 2027)'), ['2027-04'])
  })

  test('are written in the form the slot asks for', () => {
    assert.equal(dates('March 5, 2027', 'in the format MM-DD-YYYY'), ['03-05-2027'])
    assert.equal(dates('March 5, 2027', 'dd/mm/yyyy'), ['05/03/2027'])
    assert.equal(dates('March 5, 2027', '(month-day-year)'), ['03-05-2027'])
    assert.equal(dates('April 2027', "in 'mm-yyyy' format"), ['04-2027'])
  })

  test('times in either clock', () => {
    const times = (text: string): string[] => readTimes(text).map((fact) => writeTime(fact.time))
    assert.equal(times('at 3pm, 6:30 PM, 18:45, 12 am, noon and 12:05 a.m.'), [
      '15:00',
      '18:30',
      '18:45',
      '00:00',
      '12:00',
      '00:05',
    ])
    assert.equal(times('25:00 or 7:75 or 3.50 euros'), [])
  })
})

suite('names, quotes and codes', ({ test }) => {
  const read = (text: string) => readMessage(text, TODAY)
  const names = (text: string): string[] => read(text).names.map((fact) => fact.text)

  test('names of people, places and things', () => {
    assert.equal(names('Tell me about Leonardo da Vinci and the Bank of America'), [
      'Leonardo da Vinci',
      'Bank of America',
    ])
    assert.equal(names('a flight to Washington D.C. for Mr. X'), ['Washington D.C.', 'Mr. X'])
    assert.equal(names('Hotel in Paris, France'), ['Hotel', 'Paris', 'France', 'Paris, France'].slice(1))
    assert.equal(names('I live in Paris, London and Rome'), ['Paris', 'London', 'Rome'])
    assert.equal(names('What is the weather? Find it.'), [])
    assert.equal(names("Germany's team"), ['Germany'])
  })

  test('quotes of every kind, and apostrophes that are none', () => {
    const quoted = (text: string): string[] => read(text).quoted.map((fact) => fact.text)
    assert.equal(quoted(`say "one", 'two', “three” and «four»`), ['one', 'two', 'three', 'four'])
    assert.equal(quoted("it's Bob's and the dogs' bowl"), [])
    assert.equal(quoted("review 'I love it! It's great.'"), ["I love it! It's great."])
  })

  test('codes, files, paths and addresses of the net', () => {
    const codes = (text: string): string[] => read(text).codes.map((fact) => fact.text)
    assert.equal(codes('case LAX2019080202, file data.csv in C:/data/cars.csv, facebook/react, order #1042'), [
      'LAX2019080202',
      'data.csv',
      'C:/data/cars.csv',
      'facebook/react',
      '#1042',
    ])
    const mail = read('mail bob.smith+x@mail.example.org, see https://example.org/a?b=c. or call +1 415 555 2671')
    assert.equal(
      [...mail.emails, ...mail.urls, ...mail.phones].map((fact) => fact.text),
      ['bob.smith+x@mail.example.org', 'https://example.org/a?b=c', '+1 415 555 2671'],
    )
    assert.equal(
      mail.numbers.map((fact) => fact.value),
      [],
    )
  })
})

suite('words', ({ test }) => {
  test('forms of a word have one stem, other alphabets are left alone', () => {
    for (const forms of [
      'calculate calculating calculated calculation',
      'booking booked books book',
      'cities city',
      'hopping hopped hop',
      'relational relate',
    ]) {
      assert.is(new Set(forms.split(' ').map(stem)).size, 1, forms)
    }
    assert.equal(['straße', 'заказ', 'rs6034', 'go'].map(stem), ['straße', 'заказ', 'rs6034', 'go'])
  })

  test('identifiers are split into their words', () => {
    assert.equal(splitName('getUserInfo'), ['get', 'user', 'info'])
    assert.equal(splitName('orders.lookup_status'), ['orders', 'lookup', 'status'])
    assert.equal(splitName('HTTPServer2'), ['http', 'server', '2'])
    assert.equal(splitName('username'), ['user', 'name'])
  })

  test('tokens are counted near enough, and long texts in time', () => {
    assert.is(countTokens(''), 0)
    const prose = 'The quick brown fox jumps over the lazy dog. '.repeat(20)
    assert.ok(Math.abs(countTokens(prose) - 200) <= 20, String(countTokens(prose)))
    assert.is(countTokens('订单在哪里'), 5)
    const begun = performance.now()
    assert.ok(countTokens('word '.repeat(1_000_000)) > 900_000)
    assert.ok(performance.now() - begun < 200)
  })
})
