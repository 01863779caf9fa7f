const list = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter((word) => word !== ''))

/** Written before a name, a number or an explanation: the full stop after them ends nothing. Lower case, without it. */
export const NEVER_END = list(`
  mr mrs ms mx dr prof st rev hon gen col maj capt cpt lt sgt cmdr adm gov sen rep pres sir fr
  v vs c cf viz approx ca spp subsp var e.g i.e al ibid op
  z.b d.h bzw hr fr dipl evtl ggf inkl zzgl abs s.o s.u v.a u.a mme mlle sra srta
`)

/** They stand at the end of sentences as well: then what follows begins like a sentence. */
export const MAY_END = list(`
  inc ltd co corp llc plc bros jr sr esq etc est dept univ assn ave blvd rd mt ft ed eds
  jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
  u.s u.k u.n e.u a.m p.m ph.d b.c a.d m.d b.a m.a d.c usw min max oz lb lbs in hrs yrs
`)

/** Words that open sentences and rarely names. */
export const STARTERS = list(`
  The A An This That These Those There It Its He She They We You I His Her Their Our Your My In On At By For From With To Of
  As If When While After Before During Since Until Because Although Though However But And Or So Yet Then Thus Also Not No
  What Which Who Where Why How Some Many Most Several Both Each Every All One Two Another Such Other Under Over Between Is Are
  Was Were Do Does Did Has Have Had Can Could Will Would Should May Might Must Please Let
`)
