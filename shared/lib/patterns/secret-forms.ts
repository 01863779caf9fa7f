/**
 * Keys and tokens that are known by their form. Each pattern begins with fixed characters (so that it is found fast and
 * rarely by mistake) and is read to the end of the token.
 */
export interface SecretForm {
  readonly name: string
  /** Fixed text that must occur for the pattern to be tried. */
  readonly hint: string
  readonly pattern: RegExp
}

export const SECRET_FORMS: readonly SecretForm[] = [
  form('AWS access key', 'A', /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/g),
  form('GitHub token', 'gh', /\bgh[pousr]_[A-Za-z0-9]{36,}/g),
  form('GitHub token', 'github_pat_', /\bgithub_pat_[A-Za-z0-9_]{22,}/g),
  form('GitLab token', 'gl', /\bgl(?:pat|ptt|rt|dt|cbt|soat)-[A-Za-z0-9_.-]{20,}/g),
  form('Slack token', 'xox', /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g),
  form('Slack app token', 'xapp-', /\bxapp-\d-[A-Za-z0-9-]{10,}/g),
  form(
    'Slack webhook',
    'hooks.slack.com',
    /\bhooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9+/_-]{20,}/g,
  ),
  form('Discord webhook', '/api/webhooks/', /\bdiscord(?:app)?\.com\/api\/webhooks\/\d{15,25}\/[A-Za-z0-9_-]{40,}/g),
  form('Stripe key', '_', /\b(?:sk|rk|pk|whsec)_(?:(?:live|test|prod)_)?[A-Za-z0-9]{20,}/g),
  form('Google API key', 'AIza', /\bAIza[A-Za-z0-9_-]{35}/g),
  form('Google OAuth token', 'ya29.', /\bya29\.[A-Za-z0-9_-]{20,}/g),
  form('Google client secret', 'GOCSPX-', /\bGOCSPX-[A-Za-z0-9_-]{20,}/g),
  form('model provider key', 'sk-', /\bsk-(?:proj-|ant-|or-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}/g),
  form('Groq key', 'gsk_', /\bgsk_[A-Za-z0-9]{40,}/g),
  form('Hugging Face token', 'hf_', /\bhf_[A-Za-z0-9]{30,}/g),
  form('npm token', 'npm_', /\bnpm_[A-Za-z0-9]{36}/g),
  form('PyPI token', 'pypi-', /\bpypi-[A-Za-z0-9_-]{50,}/g),
  form('SendGrid key', 'SG.', /\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,}/g),
  form('Twilio key', 'SK', /\bSK[0-9a-f]{32}\b/g),
  form('Mailgun key', 'key-', /\bkey-[0-9a-f]{32}\b/g),
  form('Shopify token', 'shp', /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}/g),
  form('DigitalOcean token', '_v1_', /\bdo[por]_v1_[0-9a-f]{64}/g),
  form('Telegram bot token', ':AA', /\b\d{8,10}:AA[A-Za-z0-9_-]{33}/g),
  form('Azure storage key', 'AccountKey=', /\bAccountKey=[A-Za-z0-9+/]{80,90}={0,2}/g),
  form('age key', 'AGE-SECRET-KEY-', /\bAGE-SECRET-KEY-1[0-9A-Z]{58}/g),
  form('NATS seed', 'S', /\bS[ACNOUX][A-Z2-7]{56}\b/g),
  form('Vault token', 'hv', /\bhv[sbr]\.[A-Za-z0-9_-]{24,}/g),
  form('JSON web token', 'eyJ', /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g),
  form('bearer token', 'earer', /(?<=\b[Bb]earer )[A-Za-z0-9_.~+/-]{16,}={0,2}/g),
  form(
    'password in an address',
    '://',
    /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[!-.0-9;-?A-~]{0,64}:)[!-.0-9;-?A-~]{3,100}(?=@)/gi,
  ),
]

/** A private key in text form; everything between the two lines goes, and without an end everything after the first. */
export const PRIVATE_KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
export const PRIVATE_KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g

function form(name: string, hint: string, pattern: RegExp): SecretForm {
  return { name, hint, pattern }
}
