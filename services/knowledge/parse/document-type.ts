export const DOCUMENT_TYPES = [
  'pdf',
  'docx',
  'xlsx',
  'pptx',
  'html',
  'markdown',
  'text',
  'csv',
  'email',
  'json',
  'jsonl',
  'image',
  'video',
] as const

export type DocumentType = (typeof DOCUMENT_TYPES)[number]
