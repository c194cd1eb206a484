"""A claim (理赔): from the patient's wish over the insurer's decision to what shall be paid."""
