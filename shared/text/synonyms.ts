import { stem } from './stem.ts'

/**
 * Words people use for one another when they ask for something: one line, one meaning. This is the model's whole world
 * knowledge of English beyond grammar, so it holds everyday words only, and a synonym always counts less than the word
 * itself. A word may stand in several lines.
 */
const GROUPS = `
weather temperature forecast climate humidity rain sunny snow
price cost fee charge amount rate pay fare expense
buy purchase order acquire
book reserve reservation booking
movie film cinema
picture image photo
song music track tune
sing singer artist musician band
car vehicle automobile auto
doctor physician clinic medical
hospital clinic
lawyer attorney legal
law legal statute
court lawsuit case trial
shop store supermarket grocery
restaurant food dining eat cuisine eatery
recipe dish cook meal
hotel room accommodation stay lodging
flight plane airline fly airport
trip travel journey itinerary vacation tour
route direction path way navigate drive
distance far length
near nearby nearest close closest around
location place where address
city town
country nation
job career employment work position
salary wage pay income
employee staff worker personnel
company business firm corporation
stock share equity market
invest investment portfolio
money cash fund currency dollar
convert exchange change transform translate
mean average
gcd greatest common divisor hcf highest factor
lcm least common multiple
sqrt square root
bmi body mass index
area surface
speed velocity fast
sum add total plus
multiply product times
subtract minus difference
divide quotient ratio
probability chance odds likelihood
predict forecast estimate projection
growth grow increase
remove delete cancel drop erase
cancel stop terminate
update change modify edit adjust set
add insert append put
create new generate make build
send deliver mail
email mail message
message text sms
call phone telephone
meeting appointment event calendar schedule
event happening
remind reminder alarm
start begin initiate open launch
end finish close stop
error bug fault issue problem broken crash fail failure
crash freeze hang stuck
app application program software product
help support assist assistance
human person agent operator representative people
refund reimburse reimbursement return money back
bill invoice billing payment charge charged
card credit debit
subscription plan membership
password login signin sign credential
account profile
track status where progress
ship shipping delivery deliver shipment package parcel arrive
order purchase
cancel cancellation
child kid children
passenger guest people person adult traveler traveller party
star cast actor actress
teacher professor instructor
school college university education
game match
player athlete sportsman
team club squad
score result point
rank ranking rating position standing
history historical historic past
war battle conflict
king queen president leader ruler monarch
inventor invent discover discovery discoverer
scientist researcher
paper article publication
book novel
author writer write wrote
news headline article
plant flower tree
animal species wildlife
disease illness condition sickness
drug medicine medication
gene genetic dna
crime criminal offence offense
house home property apartment estate residence
rent rental lease
sell sale
light lamp
temperature heat hot cold warm
thermostat temperature
volume loudness sound
play listen stream
search find lookup
nutrition nutritional calorie calories carb protein
diet dietary
exercise workout fitness
language translate translation
big large size dimension
wide width broad
deep depth
long length
thick thickness
tall height elevation high
heavy weight mass weigh
old age
long duration length time
late delay delayed
early soon
user customer client
file document
folder directory
picture painting art artwork sculpture
museum gallery exhibition
gas gasoline fuel petrol
electricity electric power energy
voltage potential
current ampere
roots zeros solve solution
derivative differentiate slope
integral integrate
plot graph chart draw
random shuffle
`

const byStem = new Map<string, ReadonlySet<string>>()
for (const line of GROUPS.split('\n')) {
  const group = [
    ...new Set(
      line
        .split(' ')
        .filter((word) => word !== '')
        .map(stem),
    ),
  ]
  for (const word of group) {
    const others = new Set([...(byStem.get(word) ?? []), ...group])
    others.delete(word)
    byStem.set(word, others)
  }
}

const NONE: ReadonlySet<string> = new Set()

/** Stems that may stand for this stem. */
export function synonymsOf(stemmed: string): ReadonlySet<string> {
  return byStem.get(stemmed) ?? NONE
}
