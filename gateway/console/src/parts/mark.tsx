/** The sign of the house: a cell of the comb with the figure of eight that a bee dances in it. */
export function Mark({ size = 28 }: { readonly size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path className="mark-cell" d="M16 1.8 28.3 8.9v14.2L16 30.2 3.7 23.1V8.9z" />
      <path
        className="mark-dance"
        d="M16 19.6C13.4 23.8 6.6 23 6.6 16s6.8-7.8 9.4-3.6M16 19.6c2.6 4.2 9.4 3.4 9.4-3.6s-6.8-7.8-9.4-3.6M16 19.6l1.3-1.2-2.6-1.6 2.6-1.6-2.6-1.6 1.3-1.2"
      />
    </svg>
  )
}
