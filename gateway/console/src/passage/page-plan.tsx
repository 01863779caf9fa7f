import type { PassageView } from '#shared/contracts/knowledge.ts'

interface Props {
  readonly sheet: PassageView['sheets'][number]
  readonly boxes: PassageView['boxes']
}

/** The page in outline, with the lines of the passage where they stand. */
export function PagePlan({ sheet: { page, width, height }, boxes }: Props) {
  return (
    <figure className="page-plan">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${whereInWords(boxes, height)} page ${page}`}>
        <rect className="page-plan-sheet" width={width} height={height} />
        {boxes.map(({ box: [x0 = 0, y0 = 0, x1 = 0, y1 = 0] }) => (
          <rect key={`${x0} ${y0}`} className="page-plan-line" x={x0} y={y0} width={x1 - x0} height={y1 - y0} />
        ))}
      </svg>
      <figcaption>
        {whereInWords(boxes, height)} page {page}
      </figcaption>
    </figure>
  )
}

/** Thirds of the page, for those who do not see the outline. */
function whereInWords(boxes: PassageView['boxes'], height: number): string {
  const top = Math.min(...boxes.map(({ box }) => box[1] ?? 0)) / height
  return top < 1 / 3 ? 'At the top of' : top < 2 / 3 ? 'In the middle of' : 'Near the end of'
}
