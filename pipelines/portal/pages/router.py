"""The router of all pages: modules beside this one add their addresses to it."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
