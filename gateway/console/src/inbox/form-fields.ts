/** The arguments of a call as fields of a form, by their JSON Schema; what is no plain value is edited as JSON. */
export interface FormField {
  readonly name: string
  readonly label: string
  readonly kind: 'text' | 'number' | 'flag' | 'choice' | 'json'
  readonly choices: readonly string[]
  /** As it stands in the form. */
  readonly text: string
}

type Values = Readonly<Record<string, unknown>>

export function fieldsOf(schema: Values | null, proposal: Values): readonly FormField[] {
  const properties = (schema?.['properties'] ?? {}) as Readonly<Record<string, Values>>
  const names = [...new Set([...Object.keys(properties), ...Object.keys(proposal)])]
  return names.map((name) => {
    const property = properties[name] ?? {}
    const value = proposal[name]
    const kind = kindOf(property, value)
    const text = value === undefined ? '' : typeof value === 'string' && kind !== 'json' ? value : JSON.stringify(value)
    const label = typeof property['title'] === 'string' ? property['title'] : name
    return { name, label, kind, choices: kind === 'choice' ? (property['enum'] as string[]) : [], text }
  })
}

/** The arguments again, all of them; a field left empty is no argument. Throws SyntaxError with the field's label. */
export function valuesOf(
  fields: readonly FormField[],
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const field of fields) {
    const text = texts[field.name] ?? field.text
    if (text === '' && field.text === '') continue
    values[field.name] = valueOf(field, text)
  }
  return values
}

function valueOf({ kind, label }: FormField, text: string): unknown {
  switch (kind) {
    case 'text':
    case 'choice':
      return text
    case 'number': {
      const number = Number(text)
      if (text.trim() === '' || !Number.isFinite(number)) throw new SyntaxError(`${label} is no number.`)
      return number
    }
    case 'flag':
      return text === 'true'
    case 'json':
      try {
        return JSON.parse(text) as unknown
      } catch {
        throw new SyntaxError(`${label} is no JSON.`)
      }
  }
}

function kindOf(property: Values, value: unknown): FormField['kind'] {
  const choices = property['enum']
  if (Array.isArray(choices) && choices.every((choice) => typeof choice === 'string')) return 'choice'
  const type = property['type'] ?? typeof value
  if (type === 'string') return value === undefined || typeof value === 'string' ? 'text' : 'json'
  if (type === 'number' || type === 'integer') return 'number'
  if (type === 'boolean') return 'flag'
  return 'json'
}
