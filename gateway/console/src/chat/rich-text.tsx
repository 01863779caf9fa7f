import { memo, useMemo } from 'react'
import { cutBlocks, parseBlock, parseSpans } from './rich-text-parse.ts'

/** A text that grows: finished blocks keep their source and are not rendered again. */
export const RichText = memo(function RichText({ text }: { readonly text: string }) {
  const blocks = useMemo(() => cutBlocks(text), [text])
  // oxlint-disable-next-line react/no-array-index-key -- a block is its place in the text
  return blocks.map((source, index) => <BlockView key={index} source={source} />)
})

const BlockView = memo(function BlockView({ source }: { readonly source: string }) {
  const block = parseBlock(source)
  switch (block.kind) {
    case 'code':
      return (
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      )
    case 'list': {
      const items = block.items.map((item, index) => (
        <li key={index}>
          <Spans text={item} />
        </li>
      ))
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>
    }
    case 'quote':
      return (
        <blockquote>
          <Spans text={block.text} />
        </blockquote>
      )
    case 'heading':
      return (
        <p className="text-heading">
          <Spans text={block.text} />
        </p>
      )
    case 'paragraph':
      return (
        <p>
          <Spans text={block.text} />
        </p>
      )
  }
})

function Spans({ text }: { readonly text: string }) {
  return parseSpans(text).map((span, index) => {
    switch (span.kind) {
      case 'text':
        return span.text
      case 'strong':
        return <strong key={index}>{span.text}</strong>
      case 'code':
        return <code key={index}>{span.text}</code>
      case 'link':
        return (
          <a key={index} href={span.href} target="_blank" rel="noopener noreferrer nofollow">
            {span.text}
          </a>
        )
    }
  })
}
