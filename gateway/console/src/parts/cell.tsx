/** A cell of the comb in the colour of an actor's kind, with its first letter where there is room. */
export function Cell({
  kind,
  letter,
  size = 14,
}: {
  readonly kind: string
  readonly letter?: string
  readonly size?: number
}) {
  return (
    <svg className="cell" data-kind={kind} width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 1.5 28.6 8.75v14.5L16 30.5 3.4 23.25V8.75z" />
      {letter === undefined ? null : (
        <text x="16" y="21.5" textAnchor="middle">
          {letter}
        </text>
      )}
    </svg>
  )
}
