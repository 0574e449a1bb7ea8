"""The 81 ways in which things go wrong that we hold ourselves to, and what makes each of them here.

Below each stand faults of the soak, fuzzing targets, parts of the soak itself and tests (file and
name, both without ``test_``) that together show what must hold; and after ``but`` what of it is not
made here, and why. tests/test_scenarios.py holds that everything named here exists.
"""

from dataclasses import dataclass, replace

WRITTEN = """
# Crashes of processes and of Postgres
1 a worker killed at random, and the whole of serve
    fault: worker killed
    fault: the whole of serve killed
2 killed between COMMIT and the answer
    fault: killed between commit and answer
3 killed between the spool's fsync and the answer
    spool_crash::killed_between_the_disk_and_the_answer_it_is_stored_once
    fault: killed while Postgres is away
4 Postgres stopped at once and started
    fault: Postgres stopped at once (-m immediate)
    fault: Postgres killed
    fault: Postgres and collector killed
    local_postgres::a_server_that_dies_while_it_is_asked_for_is_started_again
5 Postgres away for longer than SDKs wait
    fault: Postgres away, longer than SDKs wait
    answers_after_commit::while_postgres_is_away_senders_are_told_to_come_again
    spool_outage::what_is_sent_while_postgres_is_away_is_stored_once_and_in_order
6 all sessions terminated each second
    fault: connections terminated each second
    fault: statements cancelled each second
7 Postgres killed in a roll, in a re-pricing, in the closing of a month
    fault: Postgres killed in a roll
    fault: Postgres killed in a round of the jobs
    months_accepted::who_dies_in_the_middle_leaves_the_month_as_it_was
    repricing_killed::killed_fifty_times_it_is_what_one_clean_run_is
8 the roll killed
    fault: roll killed
9 Postgres frozen
    fault: Postgres frozen (SIGSTOP)
    silent_postgres::a_postgres_that_swallows_everything_costs_nobody_a_span
10 who leads the jobs frozen, and going on later
    fault: leader of the jobs frozen (SIGSTOP)
11 SIGTERM under load, once and twice
    fault: SIGTERM under load
    restarts::no_way_to_end_a_worker_loses_a_span_or_refuses_a_connection
12 rolling restart under load of SDKs
    two_of_each::of_two_machines_one_dies_and_nothing_is_lost_or_doubled
    fault: rolling restart (SIGUSR2)
    fault: worker frozen (SIGSTOP)
13 started with what cannot work, again and again
    bad_starts::who_cannot_work_says_why_in_a_line_and_opens_no_door
    workers::workers_that_cannot_start_end_their_parent
14 a worker out of memory
    fault: worker out of memory
# Disks
15 disk of the spool full while Postgres is away
    fault: disk of the spool full
    spool_records::a_disk_that_is_full_is_told_as_busy_and_everything_answered_is_stored_later
16 disk of Postgres full
    fault: disk of Postgres full
17 a segment torn at every byte
    spool_segments::a_file_torn_at_any_byte_gives_what_was_whole_and_nothing_else
18 each byte of a record flipped
    spool_segments::a_changed_byte_costs_its_record_and_no_other
    spool_segments::a_damaged_record_is_kept_aside_and_told
19 EIO and short writes
    spool_segments::a_disk_that_fails_is_told_and_its_file_never_written_again
20 two on one spool; its folder gone, or not ours
    spool_segments::processes_share_a_spool_and_not_a_folder
    spool_segments::a_folder_that_is_removed_is_noticed_before_anybody_is_told
    spool_segments::a_folder_that_cannot_be_had_refuses_until_it_can
    spool_segments::a_folder_of_another_user_is_left_to_that_user
# Network
21 a request cut after every n bytes
    fault: requests cut after n bytes
    fault: requests half closed
    otlp_conformance::a_request_that_is_cut_anywhere_stores_nothing_and_holds_nothing
22 an answer lost after the commit
    fault: answers lost
    fault: answers of the database lost
    otlp_conformance::an_answer_that_is_lost_after_the_commit_costs_nothing
23 Postgres in a black hole, and cut in mid-COPY
    fault: database blackholed
    fault: database cut in mid-statement
24 Postgres slow
    fault: database slow
25 loopback down, in a network of its own
    fault: loopback down
26 slow and idle connections, pipelining
    fault: slow senders
    fault: connections refused
    overload::who_sends_too_slowly_or_nothing_at_all_is_hung_up_on
    overload::for_one_connection_too_many_the_one_that_waits_longest_is_closed
    overload::requests_sent_ahead_are_answered_and_a_flood_of_them_is_not
27 gRPC: streams reset, deadlines of 1 ms, 1,000 at once
    otlp_conformance::streams_that_are_given_up_harm_no_other
    overload::a_thousand_streams_and_some_that_never_send_are_survived
28 names that are not found, or hang, for Slack
    slow_names::a_name_that_hangs_delays_its_own_message_alone
    places::a_place_that_hangs_does_not_hold_up_the_others
# Contention
29 8 writers of overlapping duplicates
    fault: duplicate storm of 8 writers
30 errors forced, and real ones
    fault: errors forced in every 3rd transaction
    fault: deadlock
    fault: tables locked by a stranger
    fault: no connection left (53300)
31 a session idle in its transaction
    doctor_server::who_holds_on_to_postgres_is_told
    fault: a session idle in its transaction
32 the pool of the API exhausted by slow reports
    fault: slow reports
33 a migration while ingesting
    fault: migration while ingesting
34 old and new code on one schema
    upgrades::the_version_before_goes_on_while_its_database_is_migrated
    upgrades::code_goes_on_with_a_newer_shape_that_only_adds
    upgrades::code_refuses_a_shape_that_says_it_does_not_work_with_it
    migrations::what_the_version_before_charged_beside_a_new_database_is_in_the_journal
35 restored into another cluster
    backup::what_was_dumped_goes_on_in_another_cluster
    backup::what_is_in_the_spool_comes_into_what_was_restored_once
    fault: restored from a dump into another cluster
# Bad bytes
36 fuzzing guided by coverage
    fuzz: protobuf
    fuzz: json
    fuzz: compressed
    fuzz: cut
    fuzz: exchange
    any_bytes::what_coverage_finds_breaks_nothing_either
37 protobuf and JSON of one request
    any_bytes::protobuf_and_json_of_one_request_give_equal_rows
38 spoiled requests
    any_bytes::a_request_that_is_spoiled_is_understood_or_refused
    any_bytes::whatever_is_posted_is_answered_and_accounted_for
39 one span of many that is no UTF-8
    salvage::one_bad_span_loses_one_span
    otlp_http::refused_spans_are_counted_and_their_neighbours_kept
40 values nested deep
    salvage::nesting_of_any_depth_costs_no_span
41 millions of empty spans
    otlp_http::a_request_of_many_empty_spans_is_refused_before_it_takes_memory
    otlp_http::a_json_request_of_many_empty_objects_is_refused_before_it_takes_memory
    item_limits::many_items_are_too_large_however_they_are_framed
42 compression bombs, members, cut and wrong encodings
    encodings::a_bomb_is_stopped_as_it_opens
    encodings::a_body_cut_off_anywhere_is_malformed
    encodings::gzip_members_are_one_body
    otlp_conformance::what_is_packed_twice_is_unpacked_once
    any_bytes::a_compressed_body_that_is_spoiled_is_unpacked_or_refused
43 logs sent as traces
    other_signals::logs_sent_as_traces_are_refused_by_both_doors_and_nothing_is_stored
44 ids that are none
    otlp_conformance::ids_that_are_none_are_refused_and_never_taken_for_each_other
    otlp_json::ids_are_hex_in_any_case
    otlp_json::an_id_that_is_none_costs_its_span
45 enums, unknown and repeated members, other spellings
    otlp_json::enums_that_nobody_knows_are_no_fault
    otlp_json::of_a_name_that_comes_twice_the_last_counts
    otlp_json::unknown_members_and_other_spellings_are_ignored
46 integers in every form
    otlp_json::a_64_bit_integer_is_a_text_or_a_number
    otlp_json::a_number_that_is_none_costs_the_usage
47 NaN, halves of emojis, byte order marks, deep JSON
    otlp_json::a_number_that_is_beyond_json_costs_the_usage
    otlp_json::half_an_emoji_costs_nothing_but_itself
    otlp_json::what_is_no_request_is_refused_with_its_place
    otlp_json::values_nested_deeper_than_anything_kept_are_left_out
48 NUL, huge keys, many attributes, __proto__
    hostile_senders::a_key_of_an_attribute_is_never_more_than_a_name
    otlp_conformance::strange_names_and_values_cost_no_neighbour
49 content types and methods
    otlp_conformance::a_media_type_may_have_parameters_and_any_case
    otlp_conformance::other_methods_are_told_in_kind
    otlp_http::a_bad_request_is_told_why_and_harms_nobody
50 chunks, lengths that lie, Expect: 100
    otlp_conformance::a_body_in_chunks_and_one_that_waits_for_our_word_are_taken
    otlp_conformance::a_length_that_lies_costs_its_sender_alone
51 a store that takes, refuses and fails at random
    told_once::whatever_the_store_does_each_span_is_taken_or_refused_once
# Bad values
52 tokens that cannot be
    understand_usage::an_absurd_count_costs_the_call_its_usage_but_not_the_call
    understand_usage::tokens_are_put_into_disjoint_classes
    understand_usage::a_table_that_arithmetic_contradicts_is_said_to
    understand_anything::whatever_comes_is_counted_once_and_never_negative
53 starts in 1970, 2554, ahead; ends before starts
    fault: clocks of senders off
    understand::times_are_the_spans_own
    understand::a_clock_that_runs_ahead_is_said_and_keeps_its_day
    understand::a_span_that_cannot_be_kept_is_refused_alone
54 clocks an hour off around the end of a month
    fault: clocks of senders off
    months::a_month_is_soft_closed_and_closed_and_what_is_late_is_booked_in_the_open_one
    closed_rules::lines_are_dated_in_the_order_of_their_ids_whatever_clocks_say
55 models without a price, price lists that make no sense
    spend::what_has_no_price_costs_null_and_what_is_free_costs_zero
    prices_in_force::usage_of_which_one_meter_has_no_price_is_unpriced_as_a_whole
    prices_supplement::a_list_that_makes_no_sense_is_refused_whole
    migrations::the_price_book_refuses_two_prices_at_one_time
56 currencies, and sums to the last digit
    spend::another_tenant_and_another_currency_are_not_ours
    spend::a_digit_is_never_lost
    money::a_cost_is_quantity_times_price_to_the_last_digit
    money::what_would_lose_a_digit_is_refused
57 ever new users, teams and models
    hostile_senders::a_name_that_is_never_the_same_costs_a_short_row_and_no_metric
    fault: ever new names
58 one call seen twice; a span sent again with other content; ids that come again
    one_call_in_the_ledger::calls_are_counted_as_they_were_however_they_came
    twins::ids_that_come_again_on_another_day_are_other_calls
    intake::a_span_sent_twice_is_stored_once_and_stays_as_it_was
# Security
59 every route and every kind of caller
    access_matrix::every_caller_is_let_in_or_kept_out_as_the_document_says
    access_matrix::every_route_is_in_the_document_with_each_of_its_methods
    access_matrix::the_collector_hears_from_ingest_keys_alone
60 what is another's
    another_team::an_id_of_another_team_is_not_there
    another_team::no_list_sum_or_file_tells_of_another_team
    another_team::nothing_of_another_team_is_changed_or_closed
    another_team::a_cursor_of_another_answer_opens_nothing_of_another_team
    api_keys::anothers_call_is_not_there_for_a_key_of_one_team
    api_keys::a_key_of_one_team_sees_that_team_only
    calls_stay_apart::no_search_for_what_is_linked_looks_at_another_tenant
61 row level security switched off
    spend::another_tenant_and_another_currency_are_not_ours
    one_call_in_the_ledger::one_id_of_an_answer_at_two_tenants_is_two_calls
    but: there is none: an installation has one tenant, and every key begins with it
62 SQL in every text
    hostile_sql::no_parameter_of_any_question_is_ever_a_part_of_a_statement
    hostile_sql::no_header_is_a_part_of_a_statement_and_a_key_that_is_none_is_401
    hostile_sql::no_field_of_a_body_is_a_part_of_a_statement
    hostile_sql::names_in_spans_reach_the_tables_as_they_are_or_cleaned_and_do_nothing_else
    soak: contract
63 scripts in names
    pages_frame::no_page_runs_what_a_name_says
    pages_explore::names_from_spans_are_inert
    pages_overview::hostile_names_are_text_and_wrong_questions_name_the_parameter
    pages_models::any_name_of_a_model_is_inert_and_has_a_page
64 formulas in CSV and workbooks, markup in Slack, control characters in logs
    hostile_names::no_cell_of_a_file_is_a_formula_and_every_name_can_be_read_back
    hostile_names::no_cell_of_a_workbook_is_a_formula
    hostile_names::no_name_rings_or_links_in_a_message_whoever_chose_it
    hostile_names::a_line_of_a_log_is_one_line_whatever_is_in_it
    spend::csv_says_the_same_and_runs_nothing_in_a_spreadsheet
    statement_formats::a_workbook_says_the_same_and_runs_nothing
    slack_message::hostile_names_are_inert
    statements::a_name_cannot_command_the_terminal
65 destinations that lead inside
    hostile_senders::no_place_inside_is_kept_as_one_that_messages_go_to
    hostile_senders::nothing_is_connected_to_when_a_place_is_saved
    destinations::what_is_not_a_plain_public_https_url_is_refused
    destinations::a_public_name_that_points_inside_is_not_connected_to
    destinations::the_address_that_was_checked_is_the_one_that_is_connected_to
    destinations::a_redirect_is_not_followed
66 secrets in what is sent
    secret_canaries::secrets_are_nowhere
    secret_canaries::what_is_said_in_calls_is_nowhere_while_content_is_off
    redaction::it_is_found_among_words
    content::a_prompt_is_redacted_where_it_is_understood
    understand_keeps::a_secret_is_nowhere_in_what_is_kept
    secrets_at_rest::what_channels_are_reached_with_is_nowhere_to_be_read
67 keys revoked, unknown while Postgres is away
    locked_out::a_key_that_expired_opens_nothing_and_does_not_open_the_door
    locked_out::a_sender_s_key_expires_at_its_moment_also_while_the_database_is_away
    another_team::keys_that_begin_alike_are_two
    senders::a_revoked_key_ends_within_a_minute
    senders::while_the_database_is_away_known_keys_go_on_and_others_are_told_to_come_again
    senders::a_key_that_was_revoked_is_not_good_again_when_the_database_is_away
68 10,000 wrong keys
    another_team::many_keys_that_are_none_are_told_to_wait
69 every route asked what its contract allows
    soak: contract
    any_question::every_answer_is_one_of_the_contract_whatever_is_asked
    api_contract::answers_are_what_the_contract_says
70 open to strangers without a key
    serve::strangers_are_not_let_in_without_a_key
# Alerts, jobs, time
71 a Slack that fails in every way
    fault: senders of alerts killed
    slack_delivery::a_failure_that_passes_is_tried_again
    slack_delivery::slack_is_left_alone_for_as_long_as_it_asks
    slack_delivery::what_can_never_succeed_is_dead_and_not_tried_again
    slack_delivery::of_slack_only_ok_is_good_and_of_others_any_2xx
    slack_delivery::a_webhook_that_does_not_end_its_answer_is_left_in_time
72 killed after the message, before its mark
    fault: senders of alerts killed
    slack_delivery::a_sender_that_died_is_taken_over_when_its_lease_ends
73 several thresholds at once
    budget_crossings::every_threshold_fires_in_turn_and_once
    budget_crossings::eight_replicas_at_a_time_find_one_crossing
    five_cases::four_and_five_however_many_find_it_at_once_one_is_sent
74 exactly 100 %, budgets of nothing, changed budgets
    budget_crossings::exactly_at_the_threshold_is_reached_and_an_atom_below_is_not
    budget_crossings::a_budget_of_nothing_is_reached_by_any_spend
    budget_crossings::a_raised_budget_warns_again_and_keeps_what_was_spent
75 three that run the jobs, their leader killed every few seconds
    fault: three run the jobs, the leader killed
76 no jobs for days, over the end of a month
    days_without_jobs::what_no_job_did_for_days_is_as_if_they_had_run
    rollover::periods_that_no_job_looked_at_are_caught_up_with
    digests::a_digest_is_told_when_it_is_due_or_up_to_three_days_late
77 changed clocks, odd zones, leap days
    budget_periods::periods_of_any_kind_tile_time
    periods::every_moment_is_in_the_day_and_the_month_that_it_is_said_to_be_in
    fiscal_calendars::every_month_of_every_zone_begins_on_a_quarter_hour_at_its_own_midnight
78 late after the close, opened again, a bill twice
    months_proven::a_closed_month_does_not_move_whatever_comes_late
    months::what_is_booked_while_a_month_is_soft_closed_stays_there_when_it_is_opened_again
    bills_kept::a_bill_is_kept_once
79 a price corrected for the past
    repricing::a_re_pricing_books_the_difference_as_corrections_of_its_own
    as_known_then::what_was_known_on_3_november_is_the_same_after_everything_that_came
80 pages read while calls come
    fault: pages read while calls come
81 a long time under load
    soak: growth
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    number: int
    what: str
    theme: str
    made: tuple[str, ...]
    but: str = ""
    """What of it is not made here, and why."""

    def of(self, kind: str) -> tuple[str, ...]:
        """The names of one kind: ``fault``, ``fuzz`` or ``soak``."""
        prefix = f"{kind}: "
        return tuple(name.removeprefix(prefix) for name in self.made if name.startswith(prefix))

    @property
    def tests(self) -> tuple[str, ...]:
        """Where pytest finds its tests, from the folder of the tests."""
        names = [name.partition("::") for name in self.made if "::" in name]
        return tuple(f"test_{file}.py::test_{test}" for file, _, test in names)


def read(written: str) -> tuple[Scenario, ...]:
    """The scenarios of a text as above."""
    found: list[Scenario] = []
    theme = ""
    for line in written.strip().splitlines():
        name = line.strip()
        if line.startswith("# "):
            theme = line.removeprefix("# ")
        elif name == line:
            number, _, what = line.partition(" ")
            found.append(Scenario(int(number), what, theme, ()))
        elif name.startswith("but: "):
            found[-1] = replace(found[-1], but=name.removeprefix("but: "))
        else:
            found[-1] = replace(found[-1], made=(*found[-1].made, name))
    return tuple(found)


SCENARIOS = read(WRITTEN)
