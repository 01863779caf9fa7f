alter table tools drop column approval;
drop table feedback, review_items;
