"""Every operation of the API, once: the router and the OpenAPI document are both made of this table."""

from __future__ import annotations

from api import (
    administration,
    events,
    figures,
    fleet,
    health,
    jobs,
    matching,
    profiles,
    resumes,
    searches,
    signing,
    spending,
    tailoring,
)
from api.account_bodies import KeyMade, Made, NewAccount, NewKey, SignedIn, SignIn, TierChange
from api.accounts import Account
from api.bodies import (
    EventsQuery,
    Health,
    JobDetail,
    JobPage,
    JobsQuery,
    Problem,
    Readiness,
    SearchEvents,
    SearchState,
    Targets,
)
from api.operation import EventStream, Operation
from api.profiles import Told
from api.resumes import Forgotten, ResumeQuery
from api.spending import Credits
from api.tailoring import Wish
from lib.match.answer import Answer
from lib.match.profile import Profile
from lib.people.reading import Reading
from lib.people.resumes import Resume
from lib.people.tailoring.suggestions import Suggestions

OPERATIONS = (
    Operation(
        "POST",
        "/match",
        matching.match,
        "The postings that match a profile best",
        {200: Answer},
        scope="match",
        body=Profile,
    ),
    Operation(
        "POST",
        "/resumes",
        resumes.post_resume,
        "The text of a résumé in its sections; it is kept only where that is asked",
        {200: Resume, 403: Problem, 409: Problem},
        "match",
        query=ResumeQuery,
        uploads=resumes.UPLOADS,
        patient=True,
    ),
    Operation(
        "DELETE", "/resumes", resumes.forget_resumes, "Forget all résumés that you keep", {200: Forgotten}, "match"
    ),
    Operation(
        "GET",
        "/resumes/{id}",
        resumes.show_resume,
        "A résumé that you keep",
        {200: Resume, 404: Problem},
        "match",
        path_uuids=("id",),
    ),
    Operation(
        "DELETE",
        "/resumes/{id}",
        resumes.forget_resume,
        "Forget a résumé that you keep",
        {200: Forgotten, 404: Problem},
        "match",
        path_uuids=("id",),
    ),
    Operation(
        "POST",
        "/profiles",
        profiles.read_profile,
        "What a text or a résumé says: occupation, skills, years, languages, degree, places, and a profile to match",
        {200: Reading, 404: Problem},
        "match",
        body=Told,
    ),
    Operation(
        "POST",
        "/tailor",
        tailoring.tailor_application,
        "Suggestions for an application, each with the sentence of the résumé that proves it; for paying accounts",
        {200: (Suggestions, EventStream), 404: Problem, 409: Problem},
        "match",
        body=Wish,
    ),
    Operation(
        "GET",
        "/searches/{id}",
        searches.show_search,
        "A search that you started, as it stands",
        {200: SearchState, 404: Problem},
        "match",
        path_uuids=("id",),
    ),
    Operation(
        "GET",
        "/searches/{id}/events",
        events.search_events,
        "What a search tells as it goes on: server-sent events, or a list for who accepts JSON only",
        {200: (EventStream, SearchEvents), 204: None, 404: Problem, 429: Problem},
        "match",
        query=EventsQuery,
        path_uuids=("id",),
    ),
    Operation("GET", "/jobs", jobs.list_jobs, "Open jobs, newest first", {200: JobPage}, "jobs", query=JobsQuery),
    Operation(
        "GET",
        "/jobs/{id}",
        jobs.show_job,
        "One job with its text, provenance and history",
        {200: JobDetail, 404: Problem},
        "jobs",
        path_ids=("id",),
    ),
    Operation(
        "POST",
        "/session",
        signing.sign_in,
        "Sign in: the answer sets a cookie",
        {200: SignedIn, 403: Problem, 429: Problem},
        body=SignIn,
        open=True,
    ),
    Operation("DELETE", "/session", signing.sign_out, "Sign out", {204: None, 403: Problem}, open=True),
    Operation(
        "GET",
        "/status/credits",
        spending.show_credits,
        "The credits that you used this month; for admins what all did, what is left, and where it is heading",
        {200: Credits},
        "credits",
    ),
    Operation("GET", "/accounts", administration.list_accounts, "All accounts", {200: list[Account]}, "admin"),
    Operation(
        "POST",
        "/accounts",
        administration.create_account,
        "Open an account",
        {201: Made, 409: Problem},
        "admin",
        body=NewAccount,
    ),
    Operation(
        "PATCH",
        "/accounts/{id}",
        administration.change_account,
        "Change an account's tier",
        {204: None, 404: Problem},
        "admin",
        body=TierChange,
        path_ids=("id",),
    ),
    Operation(
        "DELETE",
        "/accounts/{id}",
        administration.close_account,
        "Close an account, its keys and its sessions for good",
        {204: None, 404: Problem},
        "admin",
        path_ids=("id",),
    ),
    Operation(
        "POST",
        "/accounts/{id}/keys",
        administration.create_key,
        "Make a key, which is shown this one time",
        {201: KeyMade, 404: Problem},
        "admin",
        body=NewKey,
        path_ids=("id",),
    ),
    Operation(
        "DELETE",
        "/keys/{id}",
        administration.revoke_key,
        "Revoke a key",
        {204: None, 404: Problem},
        "admin",
        path_ids=("id",),
    ),
    Operation("GET", "/healthz", health.healthz, "Whether the process answers", {200: Health}, open=True),
    Operation(
        "GET",
        "/readyz",
        health.readyz,
        "Whether requests can be answered",
        {200: Readiness, 503: Readiness},
        open=True,
    ),
    Operation("GET", "/metrics", figures.figures, "Figures for Prometheus", {200: str}, "figures"),
    Operation(
        "GET",
        "/fleet/targets",
        fleet.targets,
        "Where the fleet's figures are, for Prometheus' HTTP service discovery",
        {200: list[Targets]},
        "figures",
    ),
)
