drop table read_marks;
drop table team_members;
drop table teams;
drop table notes;

update messages set role = 'assistant' where role = 'operator';
alter table messages drop constraint messages_role_check;
alter table messages add constraint messages_role_check check (role in ('user', 'assistant', 'system'));

alter table conversations drop column assigned_team, drop column assigned_user;
update conversations set mode = 'auto' where mode in ('supervised', 'offered');
alter table conversations drop constraint conversations_mode_check;
alter table conversations add constraint conversations_mode_check check (mode in ('auto', 'human'));
