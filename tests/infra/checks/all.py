"""Every rule of infra/."""

from __future__ import annotations

from collections.abc import Callable

from tests.infra.checks import (
    documentation,
    gateway,
    hardening,
    language,
    promises,
    roles,
    secrets,
    settings,
)
from tests.infra.checks.project import Project

RULES: tuple[Callable[[Project], list[str]], ...] = (
    language.files_are_right,
    language.excuses_say_why,
    documentation.everything_is_described,
    documentation.files_are_short,
    documentation.every_module_is_used,
    documentation.tags_are_on_everything,
    hardening.resources_are_closed,
    hardening.identities_are_named,
    hardening.doors_are_shut,
    hardening.who_is_given_a_role_has_an_identity,
    secrets.nothing_is_secret,
    secrets.outputs_give_nothing_away,
    secrets.files_hold_no_secret,
    roles.everybody_may_what_they_need,
    roles.grants_follow_the_parameters,
    roles.assignments_are_named_alike,
    roles.a_role_of_ones_own_is_narrow,
    settings.azure_has_its_settings,
    settings.the_example_has_its_settings,
    settings.the_code_reads_its_settings,
    gateway.loaded_files_exist,
    gateway.all_is_known,
    gateway.fragments_are_those_of_the_policies,
    gateway.the_api_gets_the_policy_that_was_asked_for,
    gateway.named_values_and_logger_are_there,
    gateway.diagnostics_take_no_prompts,
    promises.nothing_is_sampled_or_capped,
    promises.only_replayed_letters_are_deleted,
    promises.closing_needs_a_gateway_inside,
    promises.readers_find_their_hub,
    promises.parameters_and_services_fit,
)
