/**
 * Units of measure, with the exact factor to the base unit of their dimension, so that `180 cm` can fill a slot that asks
 * for metres. Temperature has an offset as well. Currencies are no units: nothing here knows an exchange rate.
 */
export interface Unit {
  readonly dimension: Dimension
  readonly factor: number
  readonly offset: number
}

export type Dimension =
  | 'length'
  | 'mass'
  | 'time'
  | 'temperature'
  | 'area'
  | 'volume'
  | 'speed'
  | 'acceleration'
  | 'angle'
  | 'energy'
  | 'power'
  | 'voltage'
  | 'current'
  | 'resistance'
  | 'capacitance'
  | 'inductance'
  | 'frequency'
  | 'pressure'
  | 'force'
  | 'charge'
  | 'field'
  | 'data'
  | 'percent'
  | 'amount'

const DAY_S = 86_400

/** dimension: factor=spellings; a spelling stands as written, case matters for symbols of up to three letters. */
const TABLE: Readonly<Record<Dimension, string>> = {
  length:
    '1=m meter meters metre metres|0.001=mm millimeter millimeters millimetre millimetres|0.01=cm centimeter centimeters centimetre centimetres|1000=km kms kilometer kilometers kilometre kilometres|0.0254=inch inches|0.3048=ft foot feet|0.9144=yd yard yards|1609.344=mi mile miles|9460730472580800=lightyear',
  mass: '1=kg kgs kilo kilos kilogram kilograms|0.001=g gram grams|0.000001=mg milligram milligrams|1000=tonne tonnes|0.45359237=lb lbs pound pounds|0.028349523125=oz ounce ounces',
  time: `1=s sec secs second seconds|0.001=ms millisecond milliseconds|60=min mins minute minutes|3600=h hr hrs hour hours|${DAY_S}=day days night nights|${7 * DAY_S}=week weeks|${30 * DAY_S}=month months|${365 * DAY_S}=year years yr yrs`,
  temperature: '1=°C ℃ celsius centigrade|0.5555555555555556=°F ℉ fahrenheit|1=K kelvin kelvins',
  area: '1=m² m2 m^2 sqm|0.09290304=ft² sqft|10000=hectare hectares ha|4046.8564224=acre acres|1000000=km² km2 km^2',
  volume:
    '1=m³ m3 m^3|0.001=l L liter liters litre litres|0.000001=ml mL milliliter milliliters|0.003785411784=gallon gallons',
  speed: '1=m/s mps|0.2777777777777778=km/h kph kmh|0.44704=mph|0.5144444444444445=knot knots',
  acceleration: '1=m/s² m/s2 m/s^2',
  angle: '1=° degree degrees deg|57.29577951308232=rad radian radians',
  energy:
    '1=J joule joules|1000=kJ kilojoule kilojoules|4.184=cal|4184=kcal kilocalorie kilocalories calorie calories|3600000=kWh|0.0000000000000000001602176634=eV',
  power: '1=W watt watts|1000=kW kilowatt kilowatts|1000000=MW megawatt megawatts|745.7=hp horsepower',
  voltage: '1=V volt volts|1000=kV|0.001=mV',
  current: '1=A amp amps ampere amperes|0.001=mA',
  resistance: '1=Ω ohm ohms|1000=kΩ',
  capacitance: '1=F farad farads|0.001=mF|0.000001=µF μF uF|0.000000001=nF|0.000000000001=pF',
  inductance: '1=H henry henrys henries|0.001=mH|0.000001=µH μH uH',
  frequency: '1=Hz hertz|1000=kHz|1000000=MHz|1000000000=GHz',
  pressure: '1=Pa pascal pascals|1000=kPa|100000=bar|101325=atm atmosphere atmospheres',
  force: '1=N newton newtons|1000=kN',
  charge: '1=C coulomb coulombs|0.000001=µC|0.000000001=nC',
  field: '1=T tesla teslas',
  data: '1=B byte bytes|1000=KB kB kilobyte kilobytes|1000000=MB megabyte megabytes|1000000000=GB gigabyte gigabytes|1000000000000=TB terabyte terabytes',
  percent: '1=% percent percentage pct',
  amount: '1=mol mole moles',
}

const OFFSETS: Readonly<Record<string, number>> = {
  '°C': 273.15,
  '℃': 273.15,
  celsius: 273.15,
  centigrade: 273.15,
  '°F': 255.3722222222222,
  '℉': 255.3722222222222,
  fahrenheit: 255.3722222222222,
}

const UNITS = new Map<string, Unit>()
for (const [dimension, groups] of Object.entries(TABLE)) {
  for (const group of groups.split('|')) {
    const [factor = '1', spellings = ''] = group.split('=')
    for (const spelling of spellings.split(' ')) {
      UNITS.set(spelling, { dimension: dimension as Dimension, factor: Number(factor), offset: OFFSETS[spelling] ?? 0 })
    }
  }
}

const SYMBOL_CHARS = 3

export function unitNamed(spelling: string): Unit | null {
  const exact = UNITS.get(spelling)
  if (exact !== undefined) return exact
  return spelling.length > SYMBOL_CHARS ? (UNITS.get(spelling.toLowerCase()) ?? null) : null
}

const AFTER_NUMBER =
  /^\s?-?(?:(?:degrees?|°|deg)\s?([Cc]elsius|[Cc]entigrade|[Ff]ahrenheit|[Kk]elvin|[CFK](?![\p{L}]))|(?:square|sq\.?)\s?(meters?|metres?|feet|ft|kilometers?|km|m)(?![\p{L}])|(?:cubic)\s?(meters?|metres?|m)(?![\p{L}])|(light[- ]years?)|(meters?|metres?|m) per second(?![\p{L}])( squared)?|(kilometers?|kilometres?|km) per hour|(miles) per hour|([%°℃℉Ω]|[\p{L}µμΩ°]+(?:\/[\p{L}]+)?[²³]?(?:\^?[23](?!\d))?))/u

/** The unit that stands right after a number; `length` is how many characters it takes. */
export function unitAfter(text: string): { unit: Unit; length: number } | null {
  const match = AFTER_NUMBER.exec(text.slice(0, LOOKAHEAD_CHARS))
  if (match === null) return null
  const [whole, degrees, square, cubic, light, perSecond, squared, kmPerHour, milesPerHour, plain] = match
  const named = (spelling: string): { unit: Unit; length: number } | null => {
    const unit = unitNamed(spelling)
    return unit === null ? null : { unit, length: whole.length }
  }
  if (degrees !== undefined)
    return named(degrees.length === 1 ? (degrees === 'K' ? 'K' : `°${degrees}`) : degrees.toLowerCase())
  if (square !== undefined) return named(square.startsWith('f') ? 'ft²' : square.startsWith('k') ? 'km²' : 'm²')
  if (cubic !== undefined) return named('m³')
  if (light !== undefined) return named('lightyear')
  if (perSecond !== undefined) return named(squared === undefined ? 'm/s' : 'm/s²')
  if (kmPerHour !== undefined) return named('km/h')
  if (milesPerHour !== undefined) return named('mph')
  if (plain === undefined) return null
  // `5 a` or `10 in`: a letter that is also a word is a unit only when it is glued to the number.
  if (
    /^\s/.test(whole) &&
    /^(?:a|in|as|at|h|s|l|g|A|C|F|H|T|B|K|N|J|V|W|L)$/.test(plain) &&
    !/^\s?(?:[gs]|[ACFHTBKNJVWL])(?:[\s.,;?!)]|$)/.test(text)
  )
    return null
  return named(plain)
}

const LOOKAHEAD_CHARS = 40

export function convertUnit(value: number, from: Unit, to: Unit): number {
  if (from.dimension !== to.dimension || (from.factor === to.factor && from.offset === to.offset)) return value
  const base = from.dimension === 'temperature' ? value * from.factor + from.offset : value * from.factor
  const made = from.dimension === 'temperature' ? (base - to.offset) / to.factor : base / to.factor
  // Twelve digits are what a person can have meant; the rest is binary noise.
  return Number(made.toPrecision(12))
}

const IN_UNIT = /\bin\s+(?:the\s+)?(?:units? of\s+)?((?:degrees?\s+)?[\p{L}µμΩ°%]+(?:\/[\p{L}]+)?[²³]?(?:\^[23])?)/gu
const NEAR_UNIT =
  /(?:\(\s*(?:in\s+)?|,\s*|\bunits? (?:is|of|:)\s*|\bof\s+|\bdegrees?\s+|\bas an?\s+)((?:degrees?\s+)?[\p{L}µμΩ°%]+(?:\/[\p{L}]+)?[²³]?(?:\^[23])?)/gu

/** The unit a slot wants, by its name (`weight_kg`) or its description (`in kilograms`). */
export function unitWanted(nameWords: readonly string[], description: string): Unit | null {
  // Of `hours_per_week` the hours are what is counted.
  const per = nameWords.indexOf('per')
  const last = (per > 0 ? nameWords.slice(0, per) : nameWords).at(-1)
  if (last !== undefined) {
    if (/^years?$/.test(last) && nameWords.at(-2) === 'light') return unitNamed('lightyear')
    const unit = NAME_UNITS.get(last) ?? (last.length > SYMBOL_CHARS ? unitNamed(last) : null)
    if (unit !== null) return unit
  }
  const measured = dimensionOf(nameWords)
  const inUnit = unitsIn(description, IN_UNIT)
  const near = unitsIn(description, NEAR_UNIT)
  // A symbol in brackets may name a variable: it is a unit when it measures what the slot measures.
  return (
    [...inUnit, ...near].find((unit) => unit.dimension === measured) ??
    inUnit[0] ??
    unitsIn(description, NEAR_UNIT, SYMBOL_CHARS)[0] ??
    null
  )
}

function unitsIn(description: string, pattern: RegExp, longerThan = 0): Unit[] {
  const units: Unit[] = []
  for (const match of description.matchAll(pattern)) {
    const spelling = (match[1] ?? '').replace(/^degrees?\s+/, '')
    const unit = unitNamed(spelling)
    if (unit !== null && spelling !== 'a' && spelling.length > longerThan) units.push(unit)
  }
  return units
}

const NAME_UNITS = new Map<string, Unit>()
for (const symbol of [
  'kg',
  'km',
  'cm',
  'mm',
  'lbs',
  'm',
  'ms',
  'kwh',
  'mph',
  'hz',
  'ghz',
  'mb',
  'gb',
  'sqft',
  'sec',
  'min',
  'hrs',
  'pct',
]) {
  const unit = UNITS.get(symbol) ?? UNITS.get({ kwh: 'kWh', hz: 'Hz', ghz: 'GHz', mb: 'MB', gb: 'GB' }[symbol] ?? '')
  if (unit !== undefined) NAME_UNITS.set(symbol, unit)
}

const BY_WORD: Readonly<Record<string, Dimension>> = {
  height: 'length',
  distance: 'length',
  length: 'length',
  width: 'length',
  depth: 'length',
  radius: 'length',
  diameter: 'length',
  altitude: 'length',
  weight: 'mass',
  mass: 'mass',
  duration: 'time',
  time: 'time',
  period: 'time',
  age: 'time',
  temperature: 'temperature',
  temp: 'temperature',
  area: 'area',
  volume: 'volume',
  speed: 'speed',
  velocity: 'speed',
  acceleration: 'acceleration',
  angle: 'angle',
  energy: 'energy',
  power: 'power',
  voltage: 'voltage',
  current: 'current',
  resistance: 'resistance',
  capacitance: 'capacitance',
  inductance: 'inductance',
  frequency: 'frequency',
  pressure: 'pressure',
  force: 'force',
  charge: 'charge',
  percentage: 'percent',
  percent: 'percent',
  rate: 'percent',
  seconds: 'time',
  minutes: 'time',
  hours: 'time',
  days: 'time',
  years: 'time',
  months: 'time',
  nights: 'time',
  weeks: 'time',
}

/** What a slot measures by its words alone, when no unit is named. */
export function dimensionOf(nameWords: readonly string[]): Dimension | null {
  for (const word of nameWords.toReversed()) {
    const dimension = BY_WORD[word]
    if (dimension !== undefined) return dimension
  }
  return null
}
