"""What people get after a night: a letter with figures, a chart and a workbook, and one line on the phone."""
