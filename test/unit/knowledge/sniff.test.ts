import { strToU8, zipSync } from 'fflate'

import { sniff } from '#services/knowledge/parse/sniff.ts'
import { assert, suite } from '#test/kit/suite.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])

function refused(bytes: Uint8Array, name: string, claimed: string): void {
  try {
    sniff(bytes, name, claimed)
  } catch (error) {
    assert.is((error as { code: string }).code, 'DOCUMENT_TYPE')
    return
  }
  assert.unreachable(`${name} ${claimed} was accepted`)
}

suite('what a document is', ({ test }) => {
  test('bytes decide what they can tell', () => {
    assert.is(sniff(text('%PDF-1.7\n'), '', ''), 'pdf')
    assert.is(sniff(png, '', 'image/png'), 'image')
    assert.is(sniff(zipSync({ 'word/document.xml': strToU8('<a/>') }), 'a.docx', ''), 'docx')
    assert.is(sniff(zipSync({ 'xl/workbook.xml': strToU8('<a/>') }), '', 'application/octet-stream'), 'xlsx')
    assert.is(sniff(text('\0\0\0\u0018ftypmp42'), 'a.mp4', 'video/mp4'), 'video')
    assert.is(sniff(text('<!DOCTYPE html><p>x'), '', ''), 'html')
    assert.is(sniff(text('From: a@b\nSubject: x\nDate: y\n\nhi'), '', ''), 'email')
    assert.is(sniff(text('{"a":1}\n{"a":2}\n'), '', ''), 'jsonl')
    assert.is(sniff(text('[{"a":1}]'), '', ''), 'json')
  })

  test('between texts the claim decides, and the name where the claim is general', () => {
    assert.is(sniff(text('# x'), 'x.md', 'text/plain'), 'markdown')
    assert.is(sniff(text('a,b'), 'x', 'text/csv; charset=utf-8'), 'csv')
    assert.is(sniff(text('<html>'), 'x.txt', 'text/plain'), 'text')
    assert.is(sniff(text('plain'), 'x', ''), 'text')
  })

  test('a claim that the bytes contradict is refused', () => {
    refused(text('%PDF-1.7\n'), 'a.docx', '')
    refused(text('%PDF-1.7\n'), 'a.pdf', 'image/png')
    refused(text('hello'), 'a.pdf', '')
    refused(text('hello'), 'a', 'application/json')
    refused(text('hello'), 'a.eml', '')
    refused(text('<!doctype html>'), 'a.csv', '')
    refused(png, 'a.txt', '')
    refused(zipSync({ 'xl/workbook.xml': strToU8('<a/>') }), 'a.docx', '')
  })

  test('what no reader takes is refused', () => {
    refused(zipSync({ 'a.txt': strToU8('x') }), 'a.zip', '')
    refused(new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0]), 'a', '')
    refused(new Uint8Array([0xd0, 0xcf, 0x11, 0xe0, 0xa1]), 'a.doc', '')
    refused(new Uint8Array(0), 'a.txt', '')
  })
})
