/**
 * What attempts to take over a model's instructions look like, by their purpose. A signal's weight says how much it means
 * by itself: at 1 hardly anybody writes it for another reason. Written for lower-case text whose disguises are folded
 * away; gaps between words are bounded, so that each pattern is linear.
 */
export interface InjectionSignal {
  readonly name: string
  readonly weight: number
  readonly patterns: readonly RegExp[]
}

/** Up to five words between two parts. */
const GAP = String.raw`(?:[^\s.!?]{1,30}\s{1,4}){0,5}`
const TOLD =
  '(?:instructions?|rules|prompts?|directions|guidelines|orders|commands|assignments?|constraints|programming|thoughts|training|directives?|documents|context|information|tasks?|messages?|safety)'
const BEFORE = '(?:previous|prior|above|preceding|earlier|former|initial|original|foregoing|existing)'

export const INJECTION_SIGNALS: readonly InjectionSignal[] = [
  signal('override', 1, [
    words(
      `(?:ignore|disregard|forget|override|bypass|drop|abandon|discard|neglect|dismiss)\\s{1,4}${GAP}(?:all|any|every|your|these|those|my|system|${BEFORE})\\s{1,4}${GAP}${TOLD}`,
    ),
    words(
      `(?:ignore|disregard|forget|delete|erase)\\s{1,4}(?:about\\s)?(?:the\\s|all\\s|everything\\s|anything\\s|that\\s|what\\s){0,3}(?:is\\s|was\\s|i\\s|you\\s|been\\s){0,2}(?:above|before|preceding|previous(?:ly)?|said|told|know|learned)`,
    ),
    words(
      `(?:^|[.!?,;:"'-]\\s{0,4}|(?:please|now|and|then|but|stop|just|also|you|to|should|must)\\s{1,3})(?:forget|ignore|disregard|abandon)\\s{1,4}(?:about\\s)?(?:everything|all|it all|your thoughts)(?![\\p{L}])`,
      false,
    ),
    words(`(?:forget|ignore|disregard)\\s{1,4}(?:about\\s)?(?:everything|all)\\s{1,4}(?:and|above|before|then)\\s`),
    words(
      `(?:leave|put|push|cross|sweep)\\s{1,4}(?:all\\s|any\\s|out\\s){0,2}(?:the\\s)?${BEFORE}\\s{1,4}${GAP}(?:behind|aside|out|away)`,
    ),
    words(
      `all\\s{1,4}(?:of\\s)?(?:the\\s)?${BEFORE}\\s{1,4}${TOLD}\\s{1,4}${GAP}(?:irrelevant|not\\s|wrong|void|cancell?ed|behind)`,
    ),
    words(
      `(?:do\\s?n.?t|do not|never|don'nt|not)\\s{1,4}(?:answer|use|follow|obey|rely|listen|look)\\s{1,4}${GAP}(?:documents?|articles?|context|sources?|instructions|rules|guidelines|prompt)`,
    ),
    words(`(?:knowledge|memory)\\s{1,4}and not\\s{1,4}${GAP}(?:documents?|articles?|context|sources?)`),
    words(
      `(?:change|replace|update|overwrite|rewrite)\\s{1,4}(?:all\\s)?your\\s{1,4}(?:\\S{1,20}\\s)?(?:instructions|rules|prompt|guidelines|programming)`,
    ),
    words(`your\\s{1,4}(?:new\\s)?(?:instructions|rules|task|prompt)\\s{1,4}(?:are|is)\\s{1,4}now`),
  ]),
  signal('override in another language', 1, [
    words(
      `(?:vergiss|vergessen sie|vergesst|ignorier(?:e|en sie|t)?|missachten?(?: sie)?|verwirf)\\s{1,4}${GAP}(?:alles|alle[nrs]?|s[aä]mtliche\\S{0,2}|(?:bis|vor|zu)her\\S{0,8}|obigen?|vorangegangen\\S{0,3}|deine\\S{0,2}|anweisungen|instruktionen)`,
    ),
    words(
      `(?:vorherig|bisherig|vorangegangen|obig)\\S{0,3}\\s{1,4}(?:informationen|anweisungen|aufgaben|instruktionen|angaben|befehle),?\\s{1,4}${GAP}(?:hinter|vergess|irrelevant|streichen|kopf|ignor|nicht)`,
    ),
    words(`(?:abweichend|entgegen)\\s{1,4}(?:zu|von)\\s{1,4}(?:den\\s)?(?:vorherig|bisherig|obig)\\S{0,3}\\s`),
    words(
      `(?:olvid[aeo]|olvidar|olvide|ignor[ae]|ignorar|descart[ae])\\s{1,4}${GAP}(?:todo|todas|instrucciones|anterior(?:es)?|lo que)`,
    ),
    words(
      `(?:oublie[zr]?|ignore[zr]?|n[eé]glige[zr]?)\\s{1,4}${GAP}(?:tout(?:es)?|instructions|consignes|pr[eé]c[eé]dent\\S{0,3})`,
    ),
    words(`(?:dimentica|ignora|scorda)\\s{1,4}${GAP}(?:tutto|tutte|istruzioni|precedenti)`),
    words(`(?:esque[cç]a|esque[cç]e|ignore|desconsidere)\\s{1,4}${GAP}(?:tudo|todas|instru[cç][oõ]es|anteriores)`),
    words(`(?:zaboravi(?:te)?|ignoriraj(?:te)?|zanemari(?:te)?)\\s{1,4}${GAP}(?:sve|instrukcije|upute|prethodne)`),
    words(`(?:zapomnij|zignoruj|pomi[nń])\\s{1,4}${GAP}(?:wszystko|wszystkie|instrukcje|poprzednie)`),
    words(`(?:vergeet|negeer)\\s{1,4}${GAP}(?:alles|alle|instructies|vorige|bovenstaande)`),
    words(
      `(?:забудь(?:те)?|игнорируй(?:те)?|проигнорируй(?:те)?)\\s{1,4}${GAP}(?:вс[её]|инструкции|предыдущ\\S{0,3}|указания)`,
    ),
    /(?:忽略|忽视|無視|无视|忘记|忘掉).{0,10}(?:之前|以上|所有|先前|前面|上述|全部|一切).{0,10}/u,
    /(?:以前|上記|これまで|すべて|全て)の.{0,8}(?:指示|命令|指令|ルール).{0,6}(?:無視|忘れ)/u,
  ]),
  signal('leak', 1, [
    words(
      `(?:show|print|reveal|display|repeat|output|expose|leak|return|copy|recite|dump|give|tell|write|list|share)\\s{1,4}${GAP}(?:your|the|all|full|entire|initial|original|hidden|system)\\s{1,4}${GAP}(?:system prompt|system message|prompt[-_ ]?texts?|pre-?prompts?|prompts?|initial instructions|hidden instructions)`,
    ),
    words(
      `(?:show|print|reveal|display|repeat|output|expose|leak|recite|dump|tell)\\s{1,4}${GAP}your\\s{1,4}(?:\\S{1,20}\\s)?(?:instructions|rules|guidelines|configuration)`,
    ),
    words(
      `what\\s{1,4}(?:is|are|was|were|does)\\s{1,4}(?:in\\s)?your\\s{1,4}(?:\\S{1,20}\\s)?(?:prompt|system message|initial instructions|instructions\\s{0,2}\\?)`,
    ),
    words(`(?:prompt[-_]texts?|entire prompt text|full prompt text|whole prompt)`),
    words(
      `(?:zeig\\S{0,3}|gib|nenn\\S{0,2}|offenbar\\S{0,2}|vorzeigen|ausgeben|kopie)\\s{1,4}${GAP}(?:system-?)?prompt(?:-texte?s?|s)?`,
    ),
    words(`(?:spell\\s?check|translate|summari[sz]e|print|display|show)\\s{1,4}${GAP}this prompt`),
  ]),
  signal('new identity', 1, [
    words(`(?:from now on|from this point on|starting now|henceforth)[,\\s]{1,4}${GAP}(?:you|your)`),
    words(`(?:you are now|now you are|you're now|you are no longer|you will now (?:be|act|play|respond|answer))`),
    words(`(?:do not|don't|never|not) break (?:the )?character`),
    words(
      `(?:stay|remain|keep|fully|completely)\\s{1,4}${GAP}(?:in|absorbed in)\\s{1,4}(?:your|their|his|the)?\\s?(?:character|roles?)`,
    ),
    words(
      `(?:nun bist du|jetzt bist du|du bist (?:nun|jetzt|ab jetzt|von nun an)|ab jetzt bist du|bist du (?:nun|jetzt) [^?]{0,60}[.:])`,
    ),
    words(`(?:bleib\\S{0,4}|gehst)\\s{1,4}${GAP}in\\s{1,4}(?:deiner|seiner|ihrer|ihren)\\s{1,4}rollen?`),
  ]),
  signal('role', 0.6, [
    words(
      `(?:act|behave|respond|answer|speak|talk|reply|function)\\s{1,4}(?:as|like)\\s{1,4}(?:a|an|the|if|my|you)\\s`,
    ),
    words(`(?:pretend|imagine|suppose|assume)\\s{1,4}(?:that\\s)?(?:to be|you)`),
    words(
      `(?:role-?play(?:ing)?|play the role|take on the role|in the style of an?|you are (?:a|an|the|three|\\S{1,20}gpt)\\s)`,
    ),
    words(`(?:stell dir vor|tu so,? als|fungier\\S{0,3}|im stile? ein\\S{0,2}|du bist ein\\S{0,2})\\s`),
    words(`(?:as if you were|theoretical|hypothetical|fictional)\\s{1,4}${GAP}(?:world|scenario|story|you)`),
  ]),
  signal('demand', 0.5, [
    words(
      `(?:i want you to|i would like you to|you (?:must|will|have to|are going to|should)|ich (?:möchte|will|moechte),? dass (?:sie|du))\\s`,
    ),
    words(
      `(?:to any question|any question i|every time (?:you|i|someone)|whenever i|i will (?:speak|give|ask|type|say|tell))\\s`,
    ),
  ]),
  signal('jailbreak', 1, [
    words(
      `(?:do anything now|dan mode|(?:as|like|called|named|act as|be) dan|developer mode|jailbroken|jailbreak mode|god mode|sudo mode|opposite mode)`,
    ),
    words(
      `(?:no|without|free (?:of|from)|ignor\\S{0,4}|bypass\\S{0,4}|not bound by)\\s{1,4}(?:any\\s|all\\s|the\\s|your\\s|openai\\S{0,2}\\s){0,2}(?:ethical|moral|content|safety|programming)\\s{1,4}(?:restrictions?|limitations?|filters?|guidelines|policy|policies|rules|standards|guardrails)`,
    ),
    words(
      `(?:unfiltered|uncensored|unrestricted|unethical|amoral|evil)\\s{1,4}(?:and\\s\\S{1,20}\\s)?(?:ai|assistant|model|bot|chatbot|response|responses|answers?|mode|version|twin)`,
    ),
    words(`completely (?:immoral|unethical|amoral|uncensored)`),
    words(`(?:b[oö]se|unzensierte|unmoralische)\\s(?:ki|version|antwort)`),
  ]),
  signal('fake structure', 1, [
    /<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id)\|>|\[\/?inst\]|<<\/?sys>>/u,
    /^\s{0,8}(?:#{2,6}\s{0,4})?(?:system|assistant|new instructions?|instructions? for (?:the )?(?:ai|assistant|model))\s{0,4}:/mu,
    /<\/?(?:system|system_prompt|instructions?|assistant|prompt)>/u,
    words(
      `(?:begin|end|start)(?:ning)? of (?:the\\s)?(?:system prompt|system message|user input|instructions|document|context)`,
    ),
    /(?:\\ ?n\s?){5,}/u,
    /(?:^|\s)(?:additional|new|next|updated) instructions?\s{0,3}[-:]/u,
  ]),
  signal('turn', 0.6, [
    words(
      `(?:stop|stopp?|achtung|halt)\\s{0,3}[,:!.-]{1,3}\\s{0,4}(?:write|say|print|ignore|schreib\\S{0,2}|sag\\S{0,2}|answer|ich|stopp)`,
    ),
    words(
      `(?:but now|now|nun|jetzt)\\s{1,4}${GAP}(?:another|new|further|following|neue[nrs]?|weitere[nrs]?|folgende[nrs]?)\\s{1,4}(?:tasks?|assignments?|instructions?|challenge|aufgaben?|anweisungen|herausforderung)`,
    ),
    words(`(?:now|nun) (?:further|neue|weitere|new) (?:tasks|instructions|aufgaben|anweisungen)`),
    words(`(?:focus|concentrate|konzentrier\\S{0,4})\\s{1,4}${GAP}(?:new|neue[nrs]?)\\s{1,4}(?:task|aufgabe)`),
    words(
      `(?:start|begin)\\s{1,4}(?:over|again|from scratch|anew|from the (?:front|beginning))|fangen sie von vorne an|wir starten von neu`,
    ),
    words(
      `(?:very|sehr|well|gut|great|excellent|super|simply great|ausgezeichnete|hervorragende\\S{0,2})\\s{0,2}(?:good|gut|done|gemacht|job|performance|leistung|!)[^\\n]{0,60}(?:now|nun|jetzt)\\s`,
    ),
  ]),
  signal('spelled out', 0.6, [/(?:(?<![\p{L}\p{N}])\p{L} ){8,}/u]),
  signal('words in the mouth', 0.6, [
    words(
      `(?:just|only|simply|instead|nur|then)\\s{1,4}(?:say|reply|respond|answer|print|write|output|schreib\\S{0,2}|sag\\S{0,2})`,
    ),
    words(
      `(?:say|tell me|state|repeat|write|print|admit)\\s{1,4}(?:that\\s)?(?:you|we|i)\\s{1,4}(?:hate|love|are|want|will)`,
    ),
    words(
      `repeat after me|say (?:yes|no)[.!"]|(?:say|print|write|generate|output)\\s{1,4}(?:only\\s|just\\s)?["'][^"'\\n]{1,80}["']`,
    ),
    words(`(?:execute|run)\\s{1,4}(?:the\\s|this\\s)?(?:following\\s)?(?:command|code|script)|print\\(["']`),
    words(`(?:blame|insult|praise) (?:it on )?\\S{1,20}\\s?(?:anyway)?[!.]?$`),
    words(`(?:untrue|false|fake) (?:headline|statement|answer|claim)`),
  ]),
]

function words(pattern: string, whole = true): RegExp {
  return new RegExp(whole ? `(?<![\\p{L}\\p{N}])(?:${pattern})` : pattern, 'mu')
}

function signal(name: string, weight: number, patterns: readonly RegExp[]): InjectionSignal {
  return { name, weight, patterns }
}
