"""Amazon's report of customer returns to its warehouses (FBA): one record a unit, told by its licence plate.

The report says neither what was paid back nor how: `status` and `detailed-disposition` speak of the unit (back in
stock, unsellable, the *seller* reimbursed), not of the customer. So there is no outcome and no amount; the value is
that of the purchase that the return is matched to. `return-date` is when the warehouse took the unit in. Refunds
without a return are not in it.

Order numbers are Amazon's. Where its orders come as a source of their own, this source must say that its numbers are
the same ones (``order_numbers`` of both sources in shop.toml).
https://developer-docs.amazon.com/sp-api/docs/fba-customer-concessions-reports-attributes
https://sellercentral.amazon.com/gp/help/external/200453320
"""

from pipelines.sources.csv import CsvReader
from pipelines.sources.reader import Format

NAMES = """return-date,order-id,amazon-order-id,sku,asin,fnsku,product-name,quantity,fulfillment-center-id,\
detailed-disposition,reason,status,license-plate-number,customer-comments"""

FORMAT = Format(
    "amazon_fba_returns",
    "an Amazon FBA customer returns report",
    CsvReader(),
    columns={
        "returns": {
            "return_id": ("license-plate-number",),
            "order_id": ("order-id", "amazon-order-id"),
            "product_id": ("sku",),
            "quantity": ("quantity",),
            "reason": ("reason",),
            "returned_at": ("return-date",),
        },
    },
    header=frozenset(NAMES.split(",")),
    signature=frozenset({"return-date", "fnsku", "detailed-disposition", "license-plate-number"}),
    suffixes=(".csv", ".txt", ".tsv"),
)
