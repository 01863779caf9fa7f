import { stem } from './stem.ts'

/**
 * Porter's stem of an English word after its irregular form and its British spelling are undone: a question asks `when did
 * it begin`, and the text says that it began. Not for tool choice, whose thresholds were set on bare stems.
 */
export function lemmaStem(word: string): string {
  return stem(IRREGULAR.get(word) ?? american(word))
}

/**
 * `naturalise`, `colour`, `centre`. Rules and not a list: a word changed wrongly is changed alike wherever it stands, so
 * that nothing is lost but the difference between two words of the same spelling after the rule.
 */
function american(word: string): string {
  if (word.length < MIN_SPELLED_CHARS) return word
  return word
    .replace(/([a-z]{3}[^aeo])is(e[drs]?|es|ers?|ing|ations?)$/, '$1iz$2')
    .replace(/([a-z]{2}[^o])our(s|ed|ing|able|ful|less|ite|hoods?|ly)?$/, '$1or$2')
    .replace(
      /([bt])re(s|d)?$/,
      (_, letter: string, end: string | undefined) => `${letter}er${end === 'd' ? 'ed' : (end ?? '')}`,
    )
    .replace(/([ae])ll(ed|ing|ers?)$/, '$1l$2')
}

const MIN_SPELLED_CHARS = 5

/** base: forms that no suffix rule undoes. */
const FORMS = `
be: is was were been being
arise: arose arisen
awake: awoke awoken
bear: bore borne
beat: beaten
become: became
begin: began begun
bend: bent
bind: bound
bite: bit bitten
bleed: bled
blow: blew blown
break: broke broken
breed: bred
bring: brought
build: built
burn: burnt
buy: bought
catch: caught
choose: chose chosen
cling: clung
come: came
creep: crept
deal: dealt
die: died dies dying dead death deaths
dig: dug
draw: drew drawn
drink: drank drunk
drive: drove driven
eat: ate eaten
fall: fell fallen
feed: fed
feel: felt
fight: fought
find: found
flee: fled
fly: flew flown flies flight flights
forbid: forbade forbidden
forget: forgot forgotten
freeze: froze frozen
give: gave given
go: went gone
grow: grew grown growth
hang: hung
hear: heard
hide: hid hidden
hold: held
keep: kept
know: knew known knowledge
lay: laid
lead: led
learn: learnt
leave: left
lend: lent
lie: lay lain lying
light: lit
lose: lost loss losses
make: made
mean: meant
meet: met
pay: paid
prove: proven proof proofs
ride: rode ridden
ring: rang rung
rise: rose risen
run: ran
say: said
see: saw seen
seek: sought
sell: sold sale sales
send: sent
shake: shook shaken
shine: shone
shoot: shot
show: shown
shrink: shrank shrunk
sing: sang sung
sink: sank sunk
sit: sat
sleep: slept
speak: spoke spoken speech speeches
spend: spent
spin: spun
spring: sprang sprung
stand: stood
steal: stole stolen
stick: stuck
strike: struck stricken
swear: swore sworn
sweep: swept
swim: swam swum
swing: swung
take: took taken
teach: taught
tear: tore torn
tell: told
think: thought thoughts
throw: threw thrown
understand: understood
wake: woke woken
wear: wore worn
weave: wove woven
win: won
wind: wound
write: wrote written
man: men
woman: women
child: children
person: people
foot: feet
tooth: teeth
goose: geese
mouse: mice
wife: wives
life: lives
half: halves
leaf: leaves
wolf: wolves
knife: knives
thief: thieves
loaf: loaves
bacterium: bacteria
criterion: criteria
phenomenon: phenomena
medium: media
datum: data
analysis: analyses
basis: bases
crisis: crises
thesis: theses
hypothesis: hypotheses
index: indices indexes
matrix: matrices
vertex: vertices
axis: axes
nucleus: nuclei
fungus: fungi
born: birth births
choice: choices
marry: marriage marriages married marries
arrive: arrival arrivals
believe: belief beliefs
`

const IRREGULAR = new Map<string, string>()
for (const line of FORMS.split('\n')) {
  const [base, forms] = line.split(':')
  for (const form of forms?.split(' ') ?? []) if (base !== undefined && form !== '') IRREGULAR.set(form, base)
}
