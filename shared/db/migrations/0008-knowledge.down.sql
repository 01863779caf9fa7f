alter table agents drop column knowledge;
drop table blob_removals, query_log, unanswered_questions, curated_answers, golden_runs, golden_questions, uploads,
  generations, postings, chunks, document_pages, document_versions, documents, blobs, collections;
