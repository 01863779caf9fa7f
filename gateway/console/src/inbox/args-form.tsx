import type { FormField } from './form-fields.ts'

interface Props {
  readonly id: string
  readonly fields: readonly FormField[]
  readonly texts: Readonly<Record<string, string>>
  /** The proposal can be looked at only. */
  readonly fixed: boolean
  readonly onText: (name: string, text: string) => void
}

/** What would be done, to be read and to be changed. */
export function ArgsForm({ id, fields, texts, fixed, onText }: Props) {
  return (
    <div className="review-args">
      {fields.map((field) => (
        <label key={field.name} htmlFor={`${id}-${field.name}`}>
          <span>{field.label}</span>
          <Input
            field={field}
            id={`${id}-${field.name}`}
            text={texts[field.name] ?? field.text}
            fixed={fixed}
            onText={(text) => onText(field.name, text)}
          />
        </label>
      ))}
    </div>
  )
}

interface InputProps {
  readonly field: FormField
  readonly id: string
  readonly text: string
  readonly fixed: boolean
  readonly onText: (text: string) => void
}

function Input({ field: { kind, choices }, id, text, fixed, onText }: InputProps) {
  const change = (event: { readonly target: { readonly value: string } }): void => onText(event.target.value)
  switch (kind) {
    case 'text':
      return <input id={id} value={text} disabled={fixed} onChange={change} />
    case 'number':
      return <input id={id} value={text} disabled={fixed} inputMode="decimal" onChange={change} />
    case 'flag':
      return (
        <input
          id={id}
          type="checkbox"
          checked={text === 'true'}
          disabled={fixed}
          onChange={(event) => onText(String(event.target.checked))}
        />
      )
    case 'choice':
      return (
        <select id={id} value={text} disabled={fixed} onChange={change}>
          {text === '' ? <option value="" /> : null}
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )
    case 'json':
      return <textarea id={id} rows={3} value={text} disabled={fixed} onChange={change} />
  }
}
