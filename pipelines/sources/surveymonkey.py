"""SurveyMonkey's export of all responses: two rows of names, a question above and its answers below.

Nobody but the shop knows which question is the score: shop.toml says it (``columns.score``, ``values.kind``). A
question with one column is named by its question, one with several as "Question: Answer". Respondents who came by a web
link have no address: such answers count, but for no customer. Times have no offset: where they are not of the shop's
timezone, the source's ``timezone`` says so.
"""

from pipelines.sources.csv import CsvReader
from pipelines.sources.reader import Format

NAMES = """Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,Last Name,Custom Data 1,\
RespondentID,CollectorID,StartDate,EndDate,FirstName,LastName,Custom Data"""

FORMAT = Format(
    "surveymonkey",
    "a SurveyMonkey export of all responses",
    CsvReader(header_rows=2),
    columns={
        "survey_answers": {
            "survey_id": ("Respondent ID", "RespondentID"),
            "email": ("Email Address",),
            "answered_at": ("End Date", "EndDate"),
        },
    },
    header=frozenset(NAMES.split(",")),
    signature=frozenset({"Respondent ID", "Collector ID", "End Date"}),
    suffixes=(".csv",),
)
